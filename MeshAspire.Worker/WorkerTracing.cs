using System.Diagnostics;
using Mesh.Common;
using Mesh.Protocol;
using static Mesh.Common.MeshTelemetry;

namespace MeshAspire.Worker;

/// <summary>The spans of a worker in the traces of tasks and loans.</summary>
internal static class WorkerTracing
{
    /// <summary>Starts the span of an attempt. Returns null when no listener records it; the server then gets its own context back.</summary>
    public static Activity? StartAttempt(NewTask task) => TaskOperation.Process.Start(task.Type, task.Id?.Value, Context(task.TraceParent));

    /// <summary>Records the span from a REDIRECT or RETURN to the first get_task at the next server, and returns that message with the context of the span.</summary>
    public static GetTask RecordArrival(GetTask message, DateTimeOffset since)
    {
        using var activity = Source.StartActivity(
            message.Home is null ? LoanSteps.GoHome : LoanSteps.Join, ActivityKind.Internal, Context(message.TraceParent), startTime: since);
        activity?.SetTag(Tags.Worker, message.Worker.Value);
        return activity is null ? message : message with { TraceParent = activity.Id };
    }
}
