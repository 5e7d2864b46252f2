using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

// The steps of a cancelled task, from the end of its attempt to its settlement.
internal sealed partial class TaskLifecycle
{
    /// <summary>Settles a queued task as cancelled, on request of a client.</summary>
    public void CancelQueued(TaskEntry task, DateTimeOffset now)
    {
        task.IsCancelRequested = true;
        task.StartedAt = default;
        EndCancelled(task, now);
    }

    /// <summary>Asks the ledger to reject further attempts at a cancelled task. Called when it is stored that the task was cancelled.</summary>
    public void InvalidateCancelled(TaskEntry task)
    {
        if (task.Step == TaskStep.Invalidating)
        {
            core.Effects.Invalidations.Add(task.Record);
        }
    }

    /// <summary>Removes a cancelled task from memory. Called when that is stored.</summary>
    public void OnCancelled(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Cancelled, task.EndedAt, task.StatusTrace, null));
        core.Report(new TaskCancelled(task.ToRecord(TaskState.Cancelled)));
    }

    /// <summary>Adds the outcome of the requests that wait for the settlement of a task.</summary>
    public void AnswerCancelRequests(TaskEntry task, CancelOutcome outcome)
    {
        foreach (var request in task.CancelRequests ?? [])
        {
            core.Effects.CancelResults.Add((request, outcome));
        }

        task.CancelRequests = null;
    }

    /// <summary>Ends a cancelled task that no worker runs any more. When an attempt may have changed a balance, the ledger decides first whether the task is done.</summary>
    private void EndCancelled(TaskEntry task, DateTimeOffset now, string? trace = null)
    {
        var worker = task.Worker;
        core.Tasks.Detach(task, now);
        (task.EndedAt, task.StatusTrace) = (now, trace);
        if (worker is { Health.IsLimited: true })
        {
            core.UnpausedWorkers.Add(worker.Id);
        }

        if (!task.Record.ChangesBalance)
        {
            SettleCancelled(task);
            return;
        }

        // A worker's attempt at a task that the ledger has closed fails. After a crash the task must not be queued again, where that failure would make it a dead letter.
        task.Step = TaskStep.Invalidating;
        core.Journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task.ToRecord(TaskState.Queued)));
        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Invalidate) { Task = task });
    }

    private void SettleCancelled(TaskEntry task)
    {
        workers.OnTaskDeadLettered(task);
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.CancelTask, task.ToRecord(TaskState.Cancelled)));
        CompleteOnceStored(StoreContinuationKind.Cancelled, task);
    }
}
