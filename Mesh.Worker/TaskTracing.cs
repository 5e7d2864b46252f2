using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Telemetry;

namespace Mesh.Worker;

/// <summary>The worker's part in a task's trace: the span around its processing.</summary>
internal static class TaskTracing
{
    /// <summary>Null when nobody listens; then the context goes back to the server as it came.</summary>
    public static Activity? Start(NewTask task) => TaskOperation.Process.Start(task.Type, task.Id?.Value, MeshTelemetry.Context(task.TraceParent));
}
