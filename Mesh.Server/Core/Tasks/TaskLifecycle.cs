using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>Moves an accepted task through its steps, from the queue to its settlement (docs/protocol.md, "The task cycle").</summary>
internal sealed class TaskLifecycle(CoreState core, WorkerMonitor workers)
{
    private static readonly TimeSpan InvalidationRetryDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<(TaskEntry Task, DateTimeOffset Due)> _invalidationRetries = new();
    private readonly RetryRouter _retries = new(core);

    /// <summary>The time when <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Tasks.NextLeaseEnd;
            next = _invalidationRetries.TryPeek(out var retry) && !(next < retry.Due) ? retry.Due : next;
            return _retries.NextDeadline is { } due && !(next < due) ? due : next;
        }
    }

    /// <summary>The number of tasks that wait for another attempt to invalidate them.</summary>
    public int InvalidationRetries => _invalidationRetries.Count;

    /// <summary>Queues a task and dispatches it at once if a worker has a pending poll for it.</summary>
    public void Enqueue(TaskEntry task, DateTimeOffset now)
    {
        core.Tasks.Enqueue(task, now);
        if (task.IsRetry)
        {
            DispatchRetryIfPossible(task, now);
            return;
        }

        // A pending poll may receive an older task than this one. The loop ends when this task is dispatched or no poll is left.
        while (!core.Stopping && task.Step == TaskStep.Queued && core.Workers.Polls.TryTakeReady(task.Type, out var poll))
        {
            if (!TryDispatch(poll.Worker, poll.Session, now))
            {
                throw new InvalidOperationException($"Worker {poll.Worker.Id} has a ready poll and cannot receive a task.");
            }
        }
    }

    /// <summary>
    /// Answers a get_task with the oldest suitable retry, or else with the oldest queued task that the worker handles. Returns false when there is no task, the worker cannot
    /// receive one, or the server is stopping.
    /// </summary>
    public bool TryDispatch(WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        if (core.Stopping || !worker.Health.CanReceiveTask(worker.Running.Count, now)
            || !(_retries.TryTake(worker, now, out var task) || core.Tasks.TryDequeue(worker.Handles, now, out task)))
        {
            return false;
        }

        Dispatch(task, worker, session, now);
        return true;
    }

    /// <summary>Returns whether a task becomes a dead letter if its running attempt fails now.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _retries.IsExhausted(task, now);

    /// <summary>Settles a task whose attempt succeeded. The status may come from another worker than the one that has the task now, or from one that is not connected.</summary>
    /// <param name="worker">The worker that sent the status, or null when it is not connected.</param>
    public void Complete(TaskEntry task, WorkerEntry? worker, TaskStatus status, DateTimeOffset now)
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
        Settle(task, status.Result);
    }

    /// <summary>Queues a task again that was sent to its worker and did not reach it.</summary>
    public void ReturnUndelivered(TaskEntry task, string reason, DateTimeOffset now)
    {
        var worker = task.Worker!.Id;
        task.UndeliveredTo = worker;
        Return(task, $"it did not reach {worker}: {reason}", now);
    }

    /// <summary>Ends a failed attempt. The task is queued for a retry, or becomes a dead letter when its attempts are exhausted.</summary>
    public void Fail(TaskEntry task, string error, DateTimeOffset now, string? trace = null)
    {
        var (isExhausted, worker) = (_retries.IsExhausted(task, now), task.Worker);
        core.Tasks.Detach(task, now);
        (task.Error, task.EndedAt, task.StatusTrace) = (error, now, trace);
        if (worker is not null)
        {
            task.RecordFailure(worker.Id, task.StartedAt, now);
            workers.OnFailed(worker, now);
        }

        if (!isExhausted)
        {
            core.Journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task.ToRecord(TaskState.Queued)));
            core.Report(new TaskRequeued(task.Record, task.Attempts, error, IsCounted: true));
            core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, error));
            core.Tasks.Enqueue(task, now, now + core.Settings.Tasks.RetryBackoff.Delay(task.Attempts));
            DispatchRetryIfPossible(task, now);
            return;
        }

        if (!task.Record.ChangesBalance)
        {
            MoveToDeadLetters(task);
            return;
        }

        // The failed attempt may have been applied, or may be applied later. The ledger decides: it returns the applied result or rejects all further attempts.
        task.Step = TaskStep.Invalidating;
        core.Effects.Invalidations.Add(task.Record);
    }

    /// <summary>
    /// Ends an attempt that is not counted, because the worker handed the task back or the task did not reach the worker. The task is queued again with as many attempts as
    /// before, and the worker's health does not change. After <see cref="RetryRouter.MaxReturns"/> returns the attempt has failed instead.
    /// </summary>
    public void Return(TaskEntry task, string reason, DateTimeOffset now, string? trace = null)
    {
        if (task.UncountedReturns >= RetryRouter.MaxReturns)
        {
            Fail(task, reason, now, trace);
            return;
        }

        var worker = task.Worker;
        core.Tasks.Detach(task, now);
        task.Attempts--;
        task.UncountedReturns++;
        (task.EndedAt, task.StatusTrace) = (now, trace);
        core.Report(new TaskRequeued(task.Record, task.Attempts, reason, IsCounted: false));
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, reason, IsReturned: true));
        if (worker is { Health.IsLimited: true })
        {
            core.UnpausedWorkers.Add(worker.Id);
        }

        // The first return has no delay. Later ones have, so that a task that every worker hands back does not circulate continuously.
        core.Tasks.Enqueue(task, now, task.UncountedReturns == 1 ? now : now + core.Settings.Tasks.RetryBackoff.Delay(task.UncountedReturns - 1));
        DispatchRetryIfPossible(task, now);
    }

    /// <summary>Settles a task for which the ledger rejects further attempts.</summary>
    /// <param name="applied">The balance after the task if an attempt was applied, or null for a dead letter.</param>
    public void OnInvalidated(TaskId id, decimal? applied)
    {
        if (core.Tasks.Find(id) is not { Step: TaskStep.Invalidating } task)
        {
            return;
        }

        if (applied is { } balance)
        {
            Settle(task, RawJson.Of(balance));
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
        }
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
        core.Tasks.Dead += task.Record.StoredBy is null ? 1 : 0;
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Dead, task.EndedAt, task.StatusTrace, task.Error));
        core.Report(new TaskDeadLettered(task.ToRecord(TaskState.Dead)));
    }

    /// <summary>Fails attempts whose task lease has expired, dispatches due retries, and repeats failed invalidations.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (core.Tasks.TryPeekExpired(now, out var task))
        {
            Fail(task, $"no status within the lease of {core.Settings.Tasks.LeaseTime.TotalSeconds:0.###} s", now);
        }

        DispatchDueRetries(now);
        while (_invalidationRetries.TryPeek(out var retry) && retry.Due <= now)
        {
            _invalidationRetries.Dequeue();
            if (retry.Task.Step == TaskStep.Invalidating)
            {
                core.Effects.Invalidations.Add(retry.Task.Record);
            }
        }
    }

    private void Dispatch(TaskEntry task, WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        core.Tasks.StartAttempt(task, worker, now);
        core.Deliveries.RecordSent(task, worker, session);
        core.SendTask(session, task);
        if (worker.Health.IsLimited)
        {
            PollRegistry.Suspend(worker);
        }

        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is { HasServedTask: false } loan)
        {
            loan.HasServedTask = true;
            core.Report(new LoanFirstTaskDispatched(loan.Record, task));
        }
    }

    /// <summary>Dispatches a due retry if a suitable worker has a pending poll.</summary>
    private void DispatchRetryIfPossible(TaskEntry task, DateTimeOffset now)
    {
        if (task.RetryNode.List is not null && _retries.FindPendingPoll(task, now) is { } poll)
        {
            core.Workers.Polls.Remove(poll);
            core.Tasks.TakeRetry(task, now);
            Dispatch(task, poll.Worker, poll.Session, now);
        }
    }

    private void DispatchDueRetries(DateTimeOffset now)
    {
        while (core.Tasks.Retries.TryMoveDue(now, out var task))
        {
            DispatchRetryIfPossible(task, now);
        }

        // The better workers that these tasks waited for may have disconnected.
        foreach (var task in _retries.TakeDueRetries(now))
        {
            DispatchRetryIfPossible(task, now);
        }
    }

    private void Settle(TaskEntry task, RawJson? result)
    {
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.SettleTask, task.ToRecord(TaskState.Done, result)));
        CompleteOnceStored(StoreContinuationKind.Settled, task);
    }

    private void MoveToDeadLetters(TaskEntry task)
    {
        workers.OnTaskDeadLettered(task);
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task.ToRecord(TaskState.Dead)));
        CompleteOnceStored(StoreContinuationKind.DeadLettered, task);
    }

    private void CompleteOnceStored(StoreContinuationKind kind, TaskEntry task)
    {
        core.Journal.AddContinuation(new StoreContinuation(kind) { Task = task });
        foreach (var (session, ack) in task.DeferredAcks)
        {
            core.Journal.Reply(session, ack, task, task.Attempts);
        }
    }
}
