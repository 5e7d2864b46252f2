using Mesh.Tests.Dashboard;
using Mesh.Tests.Integration;
using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Telemetry;

namespace Mesh.Tests.Telemetry;

/// <summary>Looks at the traces that a dashboard has received.</summary>
internal static class Traces
{
    /// <summary>The variables that make a process send its telemetry to a dashboard.</summary>
    public static Dictionary<string, string> Otlp(DashboardUnderTest dashboard, string name) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = dashboard.OtlpGrpc.ToString(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
        ["OTEL_EXPORTER_OTLP_HEADERS"] = $"{Gate.KeyHeader}={DashboardUnderTest.Key}",
        ["OTEL_SERVICE_NAME"] = name,
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
    };

    /// <summary>Waits for a trace that has a text in it, or that id, and so many spans.</summary>
    public static async Task<TraceView> FindAsync(DashboardUnderTest dashboard, string text, int spans)
    {
        TraceView[] Found() => All(dashboard, text);
        await Eventually.HoldsAsync(
            $"a trace with \"{text}\" of {spans} spans",
            () => Found().Any(trace => trace.Spans.Count >= spans),
            details: () => string.Join("\n\n", Found().Take(10).Select(Tree)));
        return Found().First(trace => trace.Spans.Count >= spans);
    }

    public static TraceView[] All(DashboardUnderTest dashboard, string? text = null) =>
        [.. dashboard.Store.Traces.Query(new TraceFilter(Text: text), int.MaxValue).Traces.Select(trace => dashboard.Store.Traces.Find(trace.Id)!)];

    /// <summary>Spans whose parent is not there. The caller of an HTTP request need not be one that sends its spans here.</summary>
    public static string[] Orphans(IEnumerable<TraceView> traces) =>
        [.. from trace in traces
            let ids = trace.Spans.Select(span => span.Id).ToHashSet()
            from span in trace.Spans
            where !span.Parent.IsNone && span.Kind != SpanKind.Server && !ids.Contains(span.Parent)
            select $"{span.Name} ({span.Source.Service}) in {trace.Id}"];

    /// <summary>A span a line, children below their parent and sorted by name; "!" failed, "->" linked.</summary>
    public static string Tree(TraceView trace) => string.Join('\n', Lines(trace, default, 0));

    private static IEnumerable<string> Lines(TraceView trace, SpanId parent, int depth) => trace.Spans
        .Where(span => span.Parent == parent || (depth == 0 && trace.Spans.All(other => other.Id != span.Parent)))
        .OrderBy(span => span.Name, StringComparer.Ordinal).ThenBy(span => span.Start)
        .SelectMany(span => Lines(trace, span.Id, depth + 1).Prepend(
            $"{new string(' ', 2 * depth)}{span.Name} ({span.Source.Service}){(span.Failed ? " !" : "")}{(span.Links.Count > 0 ? " ->" : "")}"));
}
