using System.Diagnostics;
using Mesh.Protocol;
using static Mesh.Telemetry.MeshTelemetry;

namespace Mesh.Worker;

/// <summary>The worker's part in a loan's traces: from an order to its arrival.</summary>
internal static class LoanTracing
{
    /// <summary>The first get_task after an order, with the context of the span that it ends.</summary>
    public static GetTask Arrive(GetTask message, DateTimeOffset since)
    {
        using var activity = Source.StartActivity(
            message.Home is null ? LoanSteps.GoHome : LoanSteps.Join, ActivityKind.Internal, Context(message.TraceParent), startTime: since);
        activity?.SetTag(Tags.Worker, message.Worker.Value);
        return activity is null ? message : message with { TraceParent = activity.Id };
    }
}
