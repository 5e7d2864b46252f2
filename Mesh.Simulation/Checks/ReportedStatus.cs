using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Checks;

/// <summary>The content of a status: what must be stored before it is acknowledged.</summary>
/// <param name="task">The task that it answers, or null when it has no effect.</param>
/// <param name="settles">True when it ends the task, as done or as a dead letter.</param>
/// <param name="attempts">The number of attempts that are used with it.</param>
internal sealed class ReportedStatus(TaskId? task, bool settles, int attempts)
{
    public TaskId? Task => task;

    public int Attempts => attempts;

    public bool Settles { get; private set; } = settles;

    /// <summary>Reads a status before the server handles it.</summary>
    public static ReportedStatus Of(ServerNode server, TaskStatus status)
    {
        var worker = server.Core!.FindWorker(status.Worker);
        if (!TaskStatusHandler.TryFindTask(status, worker, out var task, out _))
        {
            return new(null, settles: false, 0);
        }

        if (status.Outcome == TaskOutcome.Ok)
        {
            return new(task, settles: true, 0);
        }

        // A cancelled task is settled when its attempt ends.
        if (worker?.Running.FirstOrDefault(running => running.Id == task) is { IsCancelRequested: true })
        {
            return new(task, settles: true, 0);
        }

        // A NOK counts only from the worker that has the task.
        return worker?.Running.FirstOrDefault(running => running.Id == task) is { } attempt && !status.HandedBack
            ? new(task, !status.MayRetry || server.Core!.IsLastAttempt(attempt, server.Now), attempt.Attempts)
            : new(task, settles: false, 0);
    }

    /// <summary>Called when the server has handled the status. An OK hands its task back when the id of one of its follow-ups belongs to a task that is being stored.</summary>
    public void OnHandled(ServerNode server, TaskStatus status)
    {
        if (Settles && status is { Outcome: TaskOutcome.Ok, Then: not null }
            && server.Core?.Unsettled.FirstOrDefault(task => task.Id == Task) is { Step: TaskStep.Queued or TaskStep.Scheduled or TaskStep.Running })
        {
            Settles = false;
        }
    }
}
