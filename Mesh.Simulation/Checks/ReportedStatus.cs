using Mesh.Protocol;
using Mesh.Server.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation;

/// <summary>What a status said, and so what must be stored before it is acknowledged.</summary>
/// <param name="Task">What it answers, or null: then nothing follows from it.</param>
/// <param name="Settles">It ends the task, whether done or as a dead letter.</param>
/// <param name="Attempts">The attempts that are used up with it.</param>
internal sealed record ReportedStatus(TaskId? Task, bool Settles, int Attempts)
{
    /// <summary>Before the server has heard it.</summary>
    public static ReportedStatus Of(ServerNode server, TaskStatus status)
    {
        var worker = server.Core!.FindWorker(status.Worker);
        if (!TaskStatusMatcher.TryFind(status, worker, out var task, out _))
        {
            return new(null, Settles: false, 0);
        }

        if (status.Outcome == TaskOutcome.Ok)
        {
            return new(task, Settles: true, 0);
        }

        // A NOK counts only from who has the task.
        return worker?.Running.Find(running => running.Id == task) is { } attempt && !status.HandedBack
            ? new(task, server.Core!.IsLastAttempt(attempt, server.Now), attempt.Attempts)
            : new(task, Settles: false, 0);
    }
}
