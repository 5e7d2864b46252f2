using System.Diagnostics;
using Mesh.Protocol;

namespace Mesh.Worker;

/// <summary>The worker's part in a task's trace: the span around its processing.</summary>
internal static class ProcessTrace
{
    private static readonly ActivitySource Source = new("Mesh");

    /// <summary>Null when nobody listens; then the context goes back to the server as it came.</summary>
    public static Activity? Start(NewTask task) => ActivityContext.TryParse(task.TraceParent, null, isRemote: true, out var parent)
        ? Source.StartActivity($"process {task.Type}", ActivityKind.Consumer, parent)
        : Source.StartActivity($"process {task.Type}", ActivityKind.Consumer);
}
