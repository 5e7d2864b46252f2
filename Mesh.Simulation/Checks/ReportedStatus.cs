using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Checks;

/// <summary>The content of a status: what must be stored before it is acknowledged.</summary>
/// <param name="Task">The task that it answers, or null when it has no effect.</param>
/// <param name="Settles">True when it ends the task, as done or as a dead letter.</param>
/// <param name="Attempts">The number of attempts that are used with it.</param>
internal sealed record ReportedStatus(TaskId? Task, bool Settles, int Attempts)
{
    /// <summary>Reads a status before the server handles it.</summary>
    public static ReportedStatus Of(ServerNode server, TaskStatus status)
    {
        var worker = server.Core!.FindWorker(status.Worker);
        if (!TaskStatusHandler.TryFindTask(status, worker, out var task, out _))
        {
            return new(null, Settles: false, 0);
        }

        if (status.Outcome == TaskOutcome.Ok)
        {
            return new(task, Settles: true, 0);
        }

        // A cancelled task is settled when its attempt ends.
        if (worker?.Running.Find(running => running.Id == task) is { IsCancelRequested: true })
        {
            return new(task, Settles: true, 0);
        }

        // A NOK counts only from the worker that has the task.
        return worker?.Running.Find(running => running.Id == task) is { } attempt && !status.HandedBack
            ? new(task, !status.MayRetry || server.Core!.IsLastAttempt(attempt, server.Now), attempt.Attempts)
            : new(task, Settles: false, 0);
    }
}
