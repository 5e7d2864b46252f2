using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>Handles task_status: changes the task that it answers, and acknowledges it when the change is stored (docs/protocol.md, "The task cycle").</summary>
internal sealed class TaskStatusHandler(CoreState core, TaskLifecycle tasks, WorkerMonitor monitor, FollowUps followUps)
{
    /// <summary>The largest number of deferred ACKs of one task. The newest are kept, because a line worker repeats its status on a new connection each time.</summary>
    private const int MaxDeferredAcks = 16;

    private readonly RunningStatusHandler _running = new(core, monitor);

    /// <summary>Finds the task that a status answers (docs/protocol.md, "Optional fields"). Returns false when the status is ambiguous and is refused.</summary>
    /// <param name="worker">The worker that the status names, or null when it is not connected.</param>
    /// <param name="task">The id of the task, or null when the worker's task is not known any more.</param>
    /// <param name="error">The error when the status is refused. It starts with the name of the missing field.</param>
    public static bool TryFindTask(TaskStatus status, WorkerEntry? worker, out TaskId? task, [NotNullWhen(false)] out string? error)
    {
        (task, error) = (status.Id, null);
        if (task is not null)
        {
            return true;
        }

        IReadOnlyList<TaskEntry> running = worker?.Running ?? [];
        if (status.Type is not { } type)
        {
            task = running.Count == 1 ? running[0].Id : null;
            error = task is null ? $"TASK: is missing, and \"{status.Worker}\" has {running.Count} tasks" : null;
            return error is null;
        }

        var count = 0;
        foreach (var candidate in running)
        {
            if (candidate.Type == type)
            {
                task = candidate.Id;
                count++;
            }
        }

        // A late status may answer a task that the worker no longer has. Matching it to another QUERY is harmless, but matching it to another UPDATE is not.
        if (count > 1 || (count == 1 && running.Count > 1 && type != TaskType.Query))
        {
            (task, error) = (null, $"TASK_ID: is missing, and \"{status.Worker}\" has {running.Count} tasks");
            return false;
        }

        if (count == 0 && worker?.LastTask is { } last && last.Type == type)
        {
            task = last.Id;
        }

        return true;
    }

    /// <summary>Handles a status. A status for a task that is unknown or already settled is acknowledged and changes nothing.</summary>
    public void OnStatus(SessionId session, Framing framing, TaskStatus status, DateTimeOffset now)
    {
        var worker = core.Workers.Find(status.Worker);
        if (worker is not null)
        {
            worker.LastSeen = now;
        }

        if (!TryFindTask(status, worker, out var answered, out var error))
        {
            core.Reject(session, status, error);
            return;
        }

        var task = answered is { } id ? core.Tasks.Find(id) : null;
        var ack = new Ack { Worker = status.Worker, Id = status.Id, TraceParent = status.TraceParent };
        if (status.Outcome == TaskOutcome.Running)
        {
            _running.OnRunning(session, framing, status, task, ack, now);
            return;
        }

        if (task is null)
        {
            core.Send(session, ack);
            return;
        }

        if (worker is not null)
        {
            DeliveryTracker.Confirm(task, worker);
        }

        var attempt = task.Attempts;
        var then = status.Outcome == TaskOutcome.Ok && task.AcceptsFollowUps && task.Step is TaskStep.Queued or TaskStep.Scheduled or TaskStep.Running
            ? followUps.Add(task, status.Then, status.TraceParent, now)
            : new([]);
        switch (task.Step, status.Outcome)
        {
            case (TaskStep.Settling or TaskStep.Invalidating, _):
                // The ledger decides whether the task is done. If it is, the tasks of this status are accepted with it.
                task.LateThen ??= status.Then;
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Storing, _):
                core.Reject(session, status, $"TASK_ID: \"{task.Id}\" has not been sent to a worker");
                break;
            case (_, TaskOutcome.Ok) when then.Error is null:
                tasks.Complete(task, worker, status, then.Tasks, now);
                core.Journal.Reply(session, ack, task, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Ok) when task.Worker == worker && then.IsBusy:
                tasks.Return(task, then.Error!, now, status.TraceParent);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Ok) when task.Worker == worker:
                tasks.Fail(task, then.Error!, now, status.TraceParent);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Nok) when task.Worker == worker && status.HandedBack:
                tasks.Return(task, status.Error ?? "handed back", now, status.TraceParent);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Nok) when task.Worker == worker:
                tasks.Fail(task, status.Error ?? "NOK", now, status.TraceParent, status.MayRetry, status.RetryAfter);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running or TaskStep.Queued or TaskStep.Scheduled, TaskOutcome.Nok or TaskOutcome.Ok):
                // The status may be a repetition. The ACK waits for the store, because the change of the first one may not be stored yet.
                core.Journal.Reply(session, ack, task, attempt);
                break;
            default:
                throw new InvalidOperationException($"Task step {task.Step} with outcome {status.Outcome} is unknown.");
        }
    }

    /// <summary>Sends an ACK when the journal is stored. While the task is being invalidated, the ACK is deferred until its settlement is in the journal.</summary>
    private void Acknowledge(TaskEntry task, SessionId session, Ack ack, int attempt)
    {
        if (task.Step != TaskStep.Invalidating)
        {
            core.Journal.Reply(session, ack, task, attempt);
        }
        else if ((task.DeferredAcks ??= []) is var deferred && !deferred.Exists(known => known.Session == session))
        {
            if (deferred.Count == MaxDeferredAcks)
            {
                deferred.RemoveAt(0);
            }

            deferred.Add((session, ack));
        }
    }
}
