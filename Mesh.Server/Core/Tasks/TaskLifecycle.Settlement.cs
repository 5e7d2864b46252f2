using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

// The settlement of a task: done or a dead letter, and for an UPDATE of unknown outcome what the ledger decides.
internal sealed partial class TaskLifecycle
{
    /// <summary>Settles a task whose attempt succeeded. The status may come from another worker than the one that has the task now, or from one that is not connected.</summary>
    /// <param name="worker">The worker that sent the status, or null when it is not connected.</param>
    /// <param name="then">The new tasks of the status, which are stored in the same write.</param>
    public void Complete(TaskEntry task, WorkerEntry? worker, TaskStatus status, IReadOnlyList<TaskEntry> then, DateTimeOffset now)
    {
        core.Tasks.Detach(task, now);
        task.LastWorker = status.Worker;
        if (worker is not null)
        {
            workers.OnSucceeded(worker);
            if (task.Failures.Count > 0)
            {
                workers.OnTaskDone(task, worker.Id, now);
            }
        }

        (task.EndedAt, task.StatusTrace) = (now, status.TraceParent);
        Settle(task, status.Result, then);
    }

    /// <summary>Settles a task for which the ledger rejects further attempts.</summary>
    /// <param name="applied">The balance after the task if an attempt was applied, or null for a dead letter.</param>
    public void OnInvalidated(TaskId id, decimal? applied, DateTimeOffset now)
    {
        if (core.Tasks.Find(id) is not { Step: TaskStep.Invalidating } task)
        {
            return;
        }

        if (applied is { } balance)
        {
            var then = followUps.Add(task, task.AcceptsFollowUps ? task.LateThen : null, task.StatusTrace, now);
            if (then.Error is { } error)
            {
                core.Report(new FollowUpRefused(task.Record, error));
            }

            Settle(task, RawJson.Of(balance), then.Tasks);
        }
        else if (task.IsCancelRequested)
        {
            SettleCancelled(task);
        }
        else
        {
            MoveToDeadLetters(task);
        }
    }

    /// <summary>Schedules another attempt to invalidate a task. Called when the ledger is unavailable.</summary>
    public void OnInvalidationFailed(TaskId id, DateTimeOffset now)
    {
        if (core.Tasks.Find(id) is { Step: TaskStep.Invalidating } task)
        {
            _invalidationRetries.Enqueue((task, now + InvalidationRetryDelay));
            AnswerCancelRequests(task, CancelOutcome.Unknown);
        }
    }

    /// <summary>Continues a settlement of which the store has applied the first part only, the completed record and the follow-ups.</summary>
    /// <param name="done">The stored record.</param>
    public void ResumeSettlement(TaskEntry task, TaskRecord done)
    {
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.SettleTask, done));
        CompleteOnceStored(StoreContinuationKind.Settled, task);
    }

    /// <summary>Removes a completed task from memory. Called when its result is stored.</summary>
    public void OnSettled(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Tasks.Done += task.Record.StoredBy is null ? 1 : 0;
        if (task.Record.StoredBy is { } storedBy && core.Adoptions.TryGetValue(storedBy, out var adoption))
        {
            adoption.Done++;
        }

        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Done, task.EndedAt, task.StatusTrace, null));
    }

    /// <summary>Removes a dead letter from memory. Called when it is stored.</summary>
    public void OnDeadLettered(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Dead, task.EndedAt, task.StatusTrace, task.Error));
        core.Report(new TaskDeadLettered(task.ToRecord(TaskState.Dead)));
    }

    private void Settle(TaskEntry task, RawJson? result, IReadOnlyList<TaskEntry> then)
    {
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.SettleTask, task.ToRecord(TaskState.Done, result)) with { Then = then.Count == 0 ? null : [.. then.Select(one => one.Record)] });
        CompleteOnceStored(StoreContinuationKind.Settled, task, then);
    }

    private void MoveToDeadLetters(TaskEntry task)
    {
        workers.OnTaskDeadLettered(task);
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task.ToRecord(TaskState.Dead)));
        CompleteOnceStored(StoreContinuationKind.DeadLettered, task);
    }

    private void CompleteOnceStored(StoreContinuationKind kind, TaskEntry task, IReadOnlyList<TaskEntry>? then = null)
    {
        core.Journal.AddContinuation(new StoreContinuation(kind) { Task = task, Tasks = then ?? [] });
        foreach (var (session, ack) in task.DeferredAcks ?? [])
        {
            core.Journal.Reply(session, ack, task, task.Attempts);
        }

        foreach (var request in task.CancelRequests ?? [])
        {
            core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Cancel) { Cancel = request });
        }

        task.CancelRequests = null;
    }
}
