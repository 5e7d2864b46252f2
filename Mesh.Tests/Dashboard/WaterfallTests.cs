using MeshAspire.Embedded.Dashboard.Live;
using MeshAspire.Embedded.Dashboard.Telemetry;

namespace Mesh.Tests.Dashboard;

public sealed class WaterfallTests
{
    private static readonly Source Server = new("server-a", "", "server-a", 0, []);

    [Fact]
    public void Waterfall_OfAnyOrder_IsATreeByStart()
    {
        var rows = Waterfall.Of([Span(1, 0, 0, 100), Span(3, 1, 10, 90), Span(4, 3, 20, 30), Span(2, 1, 50, 60), Span(5, 99, 70, 80)]);
        Assert.Equal([(1UL, 0, false), (3, 1, false), (4, 2, false), (2, 1, false), (5, 0, true)], rows.Rows.Select(row => (row.Span.Id.Value, row.Depth, row.Orphan)));
        Assert.Equal((0L, 100L, 3), (rows.Start, rows.End, rows.Depth));
        Assert.Equal([1UL, 3, 2, 5], rows.Visible(new HashSet<SpanId> { new(3) }).Select(row => row.Span.Id.Value));
    }

    [Fact]
    public void Waterfall_OfSpansThatAreTheirOwnAncestors_Ends() =>
        Assert.Equal([1UL], Waterfall.Of([Span(1, 1, 0, 1), Span(2, 3, 0, 1), Span(3, 2, 0, 1)]).Rows.Select(row => row.Span.Id.Value));

    private static Span Span(ulong id, ulong parent, long start, long end) => new()
    {
        TraceId = new TraceId(0, 1),
        Id = new SpanId(id),
        Parent = new SpanId(parent),
        Name = "work",
        Kind = SpanKind.Internal,
        Source = Server,
        Scope = "Mesh",
        Start = start,
        End = end,
        Outcome = SpanOutcome.Unset,
        Reason = "",
    };
}
