using MeshAspire.Embedded.Dashboard.Telemetry;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>A span in the order and depth it is drawn in.</summary>
/// <param name="Span">The span.</param>
/// <param name="Depth">0 for a root.</param>
/// <param name="Children">Of its own.</param>
/// <param name="Orphan">Whether its parent hasn't come in.</param>
public sealed record WaterfallRow(Span Span, int Depth, int Children, bool Orphan);

/// <summary>A trace as a tree, laid out over its time.</summary>
internal sealed class Waterfall
{
    private Waterfall(IReadOnlyList<WaterfallRow> rows, long start, long end) => (Rows, Start, End) = (rows, start, end);

    /// <summary>Each under its parent, by start.</summary>
    public IReadOnlyList<WaterfallRow> Rows { get; }

    public long Start { get; }

    public long End { get; }

    public long Duration => Math.Max(1, End - Start);

    public int Depth => Rows.Count == 0 ? 0 : Rows.Max(row => row.Depth) + 1;

    public static Waterfall Of(IReadOnlyList<Span> spans)
    {
        var known = spans.Select(span => span.Id).ToHashSet();
        var children = spans.Where(span => known.Contains(span.Parent) && span.Parent != span.Id).ToLookup(span => span.Parent);
        var rows = new List<WaterfallRow>(spans.Count);
        var open = new Stack<(Span Span, int Depth)>();
        var drawn = new HashSet<SpanId>();
        foreach (var root in spans.Where(span => !known.Contains(span.Parent) || span.Parent == span.Id))
        {
            open.Push((root, 0));
            while (open.TryPop(out var next))
            {
                if (!drawn.Add(next.Span.Id))
                {
                    continue;
                }

                var below = children[next.Span.Id].ToArray();
                rows.Add(new WaterfallRow(next.Span, next.Depth, below.Length, next.Depth == 0 && !next.Span.Parent.IsNone));
                foreach (var child in below.Reverse())
                {
                    open.Push((child, next.Depth + 1));
                }
            }
        }

        return new Waterfall(rows, spans.Select(span => span.Start).DefaultIfEmpty().Min(), spans.Select(span => span.End).DefaultIfEmpty().Max());
    }

    /// <summary>The rows left when what is below some spans is folded away.</summary>
    public IEnumerable<WaterfallRow> Visible(IReadOnlySet<SpanId> folded)
    {
        var hiddenBelow = int.MaxValue;
        foreach (var row in Rows)
        {
            if (row.Depth > hiddenBelow)
            {
                continue;
            }

            hiddenBelow = folded.Contains(row.Span.Id) ? row.Depth : int.MaxValue;
            yield return row;
        }
    }

    /// <summary>Where in the whole trace a time is, 0 to 1.</summary>
    public double At(long time) => Math.Clamp((double)(time - Start) / Duration, 0, 1);
}
