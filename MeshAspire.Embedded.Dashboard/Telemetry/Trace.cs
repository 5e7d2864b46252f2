namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>What the list of traces is filtered by; a part left null lets all pass.</summary>
/// <param name="Source">A replica's name or a service's.</param>
/// <param name="Text">Part of any text in a span, such as its name, the reason of an error or an attribute; or the beginning of the trace's id.</param>
/// <param name="AtLeast">Nanoseconds.</param>
/// <param name="ErrorsOnly">Only with a span that failed.</param>
public sealed record TraceFilter(string? Source = null, string? Text = null, long AtLeast = 0, bool ErrorsOnly = false);

/// <summary>A line of the list of traces.</summary>
public sealed record TraceSummary(
    TraceId Id, string Name, Source Root, long Start, long Duration, int Spans, int Errors, IReadOnlyList<SourceShare> Sources);

public sealed record SourceShare(Source Source, int Spans, bool Failed);

/// <summary>All that is known of a trace.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Spans">By start.</param>
/// <param name="Left">Spans beyond the limit, not kept.</param>
/// <param name="LinkedFrom">Spans of any trace that link to this one, by start.</param>
public sealed record TraceView(TraceId Id, IReadOnlyList<Span> Spans, int Left, IReadOnlyList<Span> LinkedFrom);

/// <summary>A trace in the store, under its lock.</summary>
internal sealed class Trace(TraceId id)
{
    /// <summary>Up to so many spans it is quicker to look at each of them than to keep a table of their ids.</summary>
    private const int Few = 32;

    private readonly List<Span> _spans = [];
    private HashSet<SpanId>? _ids;
    private Span? _root;
    private long _start = long.MaxValue;
    private long _end = long.MinValue;
    private int _errors;

    public TraceId Id => id;

    public IReadOnlyList<Span> Spans => _spans;

    public long Bytes { get; private set; }

    public int Left { get; set; }

    public bool TryAdd(Span span, out int bytes)
    {
        bytes = Size.Of(span);
        if (!IsNew(span.Id))
        {
            return false;
        }

        _spans.Add(span);
        Bytes += bytes;
        _start = Math.Min(_start, span.Start);
        _end = Math.Max(_end, span.End);
        _errors += span.Failed ? 1 : 0;
        if (_root is null || IsBetterRoot(span, _root))
        {
            _root = span;
        }

        return true;
    }

    /// <param name="text">The filter's, if it has one.</param>
    public bool Passes(TraceFilter filter, WireText? text) =>
        (!filter.ErrorsOnly || _errors > 0)
        && _end - _start >= filter.AtLeast
        && (filter.Source is not { Length: > 0 } source || _spans.Exists(span => Named(span.Source, source)))
        && (text is null || id.ToString().StartsWith(filter.Text!, StringComparison.OrdinalIgnoreCase) || _spans.Exists(span => text.IsIn(span.Wire.Span)));

    public TraceSummary Summarize() => new(
        id, _root!.Name, _root.Source, _start, _end - _start, _spans.Count, _errors,
        [.. _spans.GroupBy<Span, Source>(span => span.Source, ReferenceEqualityComparer.Instance)
            .Select(spans => new SourceShare(spans.Key, spans.Count(), spans.Any(span => span.Failed)))
            .OrderBy(share => share.Source.Name, StringComparer.OrdinalIgnoreCase)]);

    internal static bool Named(Source source, string name) =>
        string.Equals(source.Name, name, StringComparison.OrdinalIgnoreCase) || string.Equals(source.Service, name, StringComparison.OrdinalIgnoreCase);

    private static bool IsBetterRoot(Span span, Span root) =>
        span.Parent.IsNone == root.Parent.IsNone ? span.Start < root.Start : span.Parent.IsNone;

    private bool IsNew(SpanId span)
    {
        if (_ids is null && _spans.Count < Few)
        {
            return !_spans.Exists(one => one.Id == span);
        }

        _ids ??= [.. _spans.Select(one => one.Id)];
        return _ids.Add(span);
    }
}
