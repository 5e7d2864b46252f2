using Google.Protobuf;
using MeshAspire.Embedded.Dashboard.Otlp.Intake;
using MeshAspire.Embedded.Dashboard.Telemetry;
using OpenTelemetry.Proto.Trace.V1;
using Span = MeshAspire.Embedded.Dashboard.Telemetry.Span;
using SpanKind = MeshAspire.Embedded.Dashboard.Telemetry.SpanKind;
using WireSpan = OpenTelemetry.Proto.Trace.V1.Span;

namespace MeshAspire.Embedded.Dashboard.Otlp;

/// <summary>
/// Reads spans in two steps: what places one in its trace when it comes, all else when somebody looks. Most are never looked at, and their attributes are the
/// better part of the work.
/// </summary>
internal sealed class OtlpSpans(TelemetryLimits limits, TextPool texts)
{
    private static readonly MessageParser<SpanHead> Heads = SpanHead.Parser.WithDiscardUnknownFields(true);

    private readonly OtlpAttributes _attributes = new(limits, texts);

    /// <exception cref="InvalidProtocolBufferException">It is no span.</exception>
    public Span Read(ByteString wire, Source source, string scope)
    {
        var head = Heads.ParseFrom(wire);
        var outcome = head.Status?.Code switch
        {
            Status.Types.StatusCode.Ok => SpanOutcome.Ok,
            Status.Types.StatusCode.Error => SpanOutcome.Error,
            _ => SpanOutcome.Unset,
        };
        var reason = head.Status?.Message ?? "";
        return new Span
        {
            TraceId = TraceId.Read(head.TraceId.Span),
            Id = SpanId.Read(head.SpanId.Span),
            Parent = SpanId.Read(head.ParentSpanId.Span),
            Name = _attributes.Name(head.Name),
            Kind = (SpanKind)head.Kind,
            Source = source,
            Scope = scope,
            Start = (long)head.StartTimeUnixNano,
            End = (long)Math.Max(head.EndTimeUnixNano, head.StartTimeUnixNano),
            Outcome = outcome,
            Reason = reason.Length > 0 ? _attributes.Cut(reason) : outcome is SpanOutcome.Error ? ExceptionIn(WireSpan.Parser.ParseFrom(wire)) : "",
            Wire = wire.Memory,
            Links = head.Links.Count == 0 ? [] : [.. head.Links.Take(limits.Items).Select(link => new SpanLink(TraceId.Read(link.TraceId.Span), SpanId.Read(link.SpanId.Span), []))],
        };
    }

    /// <summary>The span with all that it tells.</summary>
    public Span Open(Span span)
    {
        WireSpan wire;
        try
        {
            wire = WireSpan.Parser.ParseFrom(span.Wire.Span);
        }
        catch (InvalidProtocolBufferException)
        {
            // What its head doesn't need was never checked.
            return span;
        }

        return span with
        {
            Attributes = _attributes.Read(wire.Attributes),
            Events = [.. wire.Events.Take(limits.Items).Select(one => new SpanEvent(
                (long)one.TimeUnixNano, _attributes.Name(one.Name), _attributes.Read(one.Attributes)))],
            Links = [.. wire.Links.Take(limits.Items).Select(link => new SpanLink(
                TraceId.Read(link.TraceId.Span), SpanId.Read(link.SpanId.Span), _attributes.Read(link.Attributes)))],
        };
    }

    private string ExceptionIn(WireSpan wire) => _attributes.Text(
        wire.Events.LastOrDefault(one => one.Name == "exception")?.Attributes.FirstOrDefault(attribute => attribute.Key == "exception.message")?.Value);
}
