using Mesh.Tests.Integration.Telemetry.Otlp;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>Searches received traces.</summary>
internal static class Traces
{
    /// <summary>Waits for a trace of at least so many spans that has that id or a span of that name.</summary>
    public static Task<Trace> FindAsync(SpanReceiver receiver, string idOrName, int spans) =>
        FindAsync(receiver, $"\"{idOrName}\"", trace => trace[0].Trace == idOrName || trace.Any(span => span.Name == idOrName), spans);

    /// <summary>Waits for a trace of at least so many spans that has a span of that name with a link to a trace.</summary>
    public static Task<Trace> FindLinkedAsync(SpanReceiver receiver, string name, string linked, int spans) =>
        FindAsync(receiver, $"\"{name}\" with a link to {linked}", trace => trace.Any(span => span.Name == name && span.Links.Contains(linked)), spans);

    /// <summary>Spans whose parent was not received. The caller of an HTTP request need not be a process that exports to the receiver.</summary>
    public static string[] Orphans(IEnumerable<Trace> traces) =>
        [.. traces.SelectMany(trace => Tops(trace).Where(span => span.Parent.Length > 0 && span.Kind != SpanKind.Server))
            .Select(span => $"{span.Name} ({span.Service}) in {span.Trace}")];

    /// <summary>Spans whose parent is not among the received ones. A dashboard shows them as roots.</summary>
    public static IEnumerable<Span> Tops(Trace trace)
    {
        var ids = trace.Spans.Select(span => span.Id).ToHashSet();
        return trace.Spans.Where(span => !ids.Contains(span.Parent));
    }

    /// <summary>One span per line, children below their parent and sorted by name; "!" means failed, "->" linked.</summary>
    public static string Tree(Trace trace) => string.Join('\n', Lines(trace, Tops(trace), 0));

    private static async Task<Trace> FindAsync(SpanReceiver receiver, string wanted, Func<Span[], bool> isWanted, int spans)
    {
        var found = await receiver.TraceAsync(
            $"a trace with {wanted} of {spans} spans",
            trace => trace.Length >= spans && isWanted(trace),
            () => string.Join("\n\n", receiver.Traces.Where(trace => isWanted(trace.Spans)).Take(10).Select(Tree)));
        return new(found[0].Trace, found);
    }

    private static IEnumerable<string> Lines(Trace trace, IEnumerable<Span> spans, int depth) => spans
        .OrderBy(span => span.Name, StringComparer.Ordinal).ThenBy(span => span.Start)
        .SelectMany(span => Lines(trace, trace.Spans.Where(child => child.Parent == span.Id), depth + 1).Prepend(
            $"{new string(' ', 2 * depth)}{span.Name} ({span.Service}){(span.Failed ? " !" : "")}{(span.Links.Count > 0 ? " ->" : "")}"));
}
