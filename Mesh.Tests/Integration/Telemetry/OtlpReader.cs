using System.Globalization;
using Google.Protobuf;
using Mesh.Tests.Integration.Telemetry.Otlp;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>Reads spans and log records from the bodies of OTLP requests.</summary>
internal static class OtlpReader
{
    public static IEnumerable<Span> Spans(byte[] body) =>
        from resource in TracesData.Parser.ParseFrom(body).ResourceSpans
        let service = Service(resource.Resource)
        from scope in resource.ScopeSpans
        from span in scope.Spans
        select new Span(service, Hex(span.TraceId), Hex(span.SpanId), span.Name)
        {
            Parent = Hex(span.ParentSpanId),
            Kind = span.Kind,
            Start = span.StartTimeUnixNano,
            Failed = span.Status?.Code == StatusCode.Error,
            Attributes = span.Attributes.ToDictionary(attribute => attribute.Key, attribute => Text(attribute.Value)),
            Links = [.. span.Links.Select(link => Hex(link.TraceId))],
        };

    public static IEnumerable<LogLine> Logs(byte[] body) =>
        from resource in LogsData.Parser.ParseFrom(body).ResourceLogs
        let service = Service(resource.Resource)
        from scope in resource.ScopeLogs
        from record in scope.LogRecords
        select new LogLine(service, Hex(record.TraceId), Text(record.Body));

    private static string Service(Resource resource) => Text(resource.Attributes.Single(attribute => attribute.Key == "service.name").Value);

    private static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    private static string Text(AnyValue? value) => value?.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => value.StringValue,
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(CultureInfo.InvariantCulture),
        _ => "",
    };
}
