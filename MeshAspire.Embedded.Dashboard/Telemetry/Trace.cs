namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>What the list of traces is filtered by; a part left null lets all pass.</summary>
/// <param name="Source">A replica's name or a service's.</param>
/// <param name="Text">Part of the name of a span, of the reason of an error or of an attribute's value, or the beginning of the trace's id.</param>
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
    private readonly Dictionary<Source, (int Spans, bool Failed)> _sources = new(ReferenceEqualityComparer.Instance);
    private Span? _root;
    private long _start = long.MaxValue;
    private long _end = long.MinValue;
    private int _errors;

    public TraceId Id => id;

    public Dictionary<SpanId, Span> Spans { get; } = [];

    public long Bytes { get; private set; }

    public int Left { get; set; }

    public bool TryAdd(Span span, out int bytes)
    {
        bytes = Size.Of(span);
        if (!Spans.TryAdd(span.Id, span))
        {
            return false;
        }

        Bytes += bytes;
        _start = Math.Min(_start, span.Start);
        _end = Math.Max(_end, span.End);
        _errors += span.Failed ? 1 : 0;
        var (spans, failed) = _sources.GetValueOrDefault(span.Source);
        _sources[span.Source] = (spans + 1, failed || span.Failed);
        if (_root is null || IsBetterRoot(span, _root))
        {
            _root = span;
        }

        return true;
    }

    public bool Passes(TraceFilter filter) =>
        (!filter.ErrorsOnly || _errors > 0)
        && _end - _start >= filter.AtLeast
        && (filter.Source is not { Length: > 0 } source || _sources.Keys.Any(one => Named(one, source)))
        && (filter.Text is not { Length: > 0 } text || Mentions(text));

    public TraceSummary Summarize() => new(
        id, _root!.Name, _root.Source, _start, _end - _start, Spans.Count, _errors,
        [.. _sources.OrderBy(one => one.Key.Name, StringComparer.OrdinalIgnoreCase).Select(one => new SourceShare(one.Key, one.Value.Spans, one.Value.Failed))]);

    internal static bool Named(Source source, string name) =>
        string.Equals(source.Name, name, StringComparison.OrdinalIgnoreCase) || string.Equals(source.Service, name, StringComparison.OrdinalIgnoreCase);

    private static bool IsBetterRoot(Span span, Span root) =>
        span.Parent.IsNone == root.Parent.IsNone ? span.Start < root.Start : span.Parent.IsNone;

    private bool Mentions(string text)
    {
        if (id.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (var span in Spans.Values)
        {
            if (span.Name.Contains(text, StringComparison.OrdinalIgnoreCase) || span.Reason.Contains(text, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }

            foreach (var attribute in span.Attributes)
            {
                if (attribute.Value.Contains(text, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
