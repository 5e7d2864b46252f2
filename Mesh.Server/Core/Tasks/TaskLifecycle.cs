using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>The life of an accepted task, from the queue to its end (docs/protocol.md, "The task cycle").</summary>
internal sealed class TaskLifecycle(CoreState core, WorkerMonitor workers)
{
    /// <summary>Connections that a closing task's end is told on: the latest, since a line worker repeats its status on a new one each time.</summary>
    private const int MaxDeferredAcks = 16;

    private static readonly TimeSpan InvalidationRetryDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<(TaskEntry Task, DateTimeOffset Due)> _invalidationRetries = new();
    private readonly RetryRouter _retries = new(core);

    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Tasks.NextLeaseEnd;
            next = _invalidationRetries.TryPeek(out var retry) && !(next < retry.Due) ? retry.Due : next;
            return _retries.NextDeadline is { } due && !(next < due) ? due : next;
        }
    }

    public int InvalidationRetries => _invalidationRetries.Count;

    /// <summary>Gives a task to a worker that waits for one, or leaves it in the queue.</summary>
    public void Enqueue(TaskEntry task, DateTimeOffset now)
    {
        core.Tasks.Enqueue(task, now);
        if (task.IsRetry)
        {
            DispatchRetryIfPossible(task, now);
            return;
        }

        // A worker that waits may get a task that has waited longer.
        while (!core.Stopping && task.Step == TaskStep.Queued && core.Workers.TryTakeReady(task.Type, out var poll))
        {
            if (!TryDispatch(poll.Worker, poll.Session, now))
            {
                throw new InvalidOperationException($"Worker {poll.Worker.Id} waits for a task, and may not have one.");
            }
        }
    }

    /// <summary>Answers a get_task with the longest waiting task that the worker handles, if there is one and the worker may have it. Those that were tried before come first.</summary>
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

    /// <summary>Whether a task becomes a dead letter if its running attempt fails now.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _retries.IsExhausted(task, now);

    private void Dispatch(TaskEntry task, WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        core.Tasks.StartAttempt(task, worker, now);
        core.Deliveries.RecordSent(task, worker, session);
        core.SendTask(session, task);
        if (worker.Health.IsLimited)
        {
            WorkerRegistry.SuspendPolls(worker);
        }

        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is { HasServedTask: false } loan)
        {
            loan.HasServedTask = true;
            core.Report(new LoanFirstTaskDispatched(loan.Record, task));
        }
    }

    /// <summary>Gives a retry that is due to a suitable worker that waits, or leaves it in the queue.</summary>
    private void DispatchRetryIfPossible(TaskEntry task, DateTimeOffset now)
    {
        if (task.RetryNode.List is not null && _retries.FindPendingPoll(task, now) is { } poll)
        {
            core.Workers.RemovePoll(poll);
            core.Tasks.TakeRetry(task, now);
            Dispatch(task, poll.Worker, poll.Session, now);
        }
    }

    public void OnStatus(SessionId session, TaskStatus status, DateTimeOffset now)
    {
        var worker = core.Workers.Find(status.Worker);
        if (worker is not null)
        {
            worker.LastSeen = now;
        }

        if (!TaskStatusMatcher.TryFind(status, worker, out var answered, out var error))
        {
            core.Reject(session, status, error);
            return;
        }

        var task = answered is { } id ? core.Tasks.Find(id) : null;
        var ack = new Ack { Worker = status.Worker, Id = status.Id, TraceParent = status.TraceParent };
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
        switch (task.Step, status.Outcome)
        {
            case (TaskStep.Settling or TaskStep.Invalidating, _):
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Storing, _):
                core.Reject(session, status, $"TASK_ID: \"{task.Id}\" was not given to anyone");
                break;
            case (_, TaskOutcome.Ok):
                core.Tasks.Detach(task, now);
                task.LastWorker = status.Worker;
                OnSucceeded(task, worker, now);
                (task.EndedAt, task.StatusTrace) = (now, status.TraceParent);
                Settle(task, status.Result);
                core.Journal.Reply(session, ack, task, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Nok) when task.Worker == worker && status.HandedBack:
                Return(task, status.Error ?? "handed back", now, status.TraceParent);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running, TaskOutcome.Nok) when task.Worker == worker:
                Fail(task, status.Error ?? "NOK", now, status.TraceParent);
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Running or TaskStep.Queued, TaskOutcome.Nok):
                // Said again, perhaps: what the first one changed may still be on its way to the store.
                core.Journal.Reply(session, ack, task, attempt);
                break;
            default:
                throw new InvalidOperationException($"Task step {task.Step} with outcome {status.Outcome} is unknown.");
        }
    }

    /// <summary>A running task did not reach its worker.</summary>
    public void ReturnUndelivered(TaskEntry task, string reason, DateTimeOffset now)
    {
        var worker = task.Worker!.Id;
        task.UndeliveredTo = worker;
        Return(task, $"it did not reach {worker}: {reason}", now);
    }

    /// <summary>An attempt ended without a result: again, or the end.</summary>
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
            core.Report(new TaskRequeued(task.Record, task.Attempts, error));
            core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, error));
            core.Tasks.Enqueue(task, now, now + core.Settings.Tasks.RetryBackoff.Delay(task.Attempts));
            DispatchRetryIfPossible(task, now);
            return;
        }

        switch (task.Type)
        {
            case TaskType.Query:
                MoveToDeadLetters(task);
                break;
            case TaskType.Update:
                // An attempt that seemed to fail may have been applied, or may still be: the ledger decides, once and for all.
                task.Step = TaskStep.Invalidating;
                core.Effects.Invalidations.Add(task.Record);
                break;
            default:
                throw new InvalidOperationException($"Task type {task.Type} is unknown.");
        }
    }

    /// <summary>
    /// What a worker had was not an attempt: it handed the task back, or was never reached with it. The task goes on at once, with as many attempts as before, and the worker is
    /// not blamed. A task to which this happens too often has failed.
    /// </summary>
    public void Return(TaskEntry task, string reason, DateTimeOffset now, string? trace = null)
    {
        if (task.UncountedReturns >= RetryPolicy.MaxReturns)
        {
            Fail(task, reason, now, trace);
            return;
        }

        var worker = task.Worker;
        core.Tasks.Detach(task, now);
        task.Attempts--;
        task.UncountedReturns++;
        (task.EndedAt, task.StatusTrace) = (now, trace);
        core.Report(new TaskReturned(task.Record, reason));
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, reason, IsReturned: true));
        if (worker is { Health.IsLimited: true })
        {
            core.UnpausedWorkers.Add(worker.Id);
        }

        // The first time at once; one that nobody keeps is not passed around without end.
        core.Tasks.Enqueue(task, now, task.UncountedReturns == 1 ? now : now + core.Settings.Tasks.RetryBackoff.Delay(task.UncountedReturns - 1));
        DispatchRetryIfPossible(task, now);
    }

    public void OnInvalidated(TaskId id, decimal? applied)
    {
        if (core.Tasks.Find(id) is not { Step: TaskStep.Invalidating } task)
        {
            return;
        }

        if (applied is { } balance)
        {
            Settle(task, balance);
        }
        else
        {
            MoveToDeadLetters(task);
        }
    }

    public void OnInvalidationFailed(TaskId id, DateTimeOffset now)
    {
        if (core.Tasks.Find(id) is { Step: TaskStep.Invalidating } task)
        {
            _invalidationRetries.Enqueue((task, now + InvalidationRetryDelay));
        }
    }

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

    public void OnDeadLettered(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Tasks.Dead += task.Record.StoredBy is null ? 1 : 0;
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Dead, task.EndedAt, task.StatusTrace, task.Error));
        core.Report(new TaskDeadLettered(task.ToRecord(TaskState.Dead)));
    }

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

    private void DispatchDueRetries(DateTimeOffset now)
    {
        while (core.Tasks.Retries.TryMoveDue(now, out var task))
        {
            DispatchRetryIfPossible(task, now);
        }

        // The better workers that some have waited for may have left.
        foreach (var task in _retries.TakeDueRetries(now))
        {
            DispatchRetryIfPossible(task, now);
        }
    }

    private void OnSucceeded(TaskEntry task, WorkerEntry? worker, DateTimeOffset now)
    {
        if (worker is not null)
        {
            workers.OnSucceeded(worker);
        }

        if (task.Failures.Count > 0 && worker is not null)
        {
            workers.OnTaskDone(task, worker.Id, now);
        }
    }

    private void Acknowledge(TaskEntry task, SessionId session, Ack ack, int attempt)
    {
        if (task.Step != TaskStep.Invalidating)
        {
            core.Journal.Reply(session, ack, task, attempt);
        }
        else if (!task.DeferredAcks.Exists(known => known.Session == session))
        {
            if (task.DeferredAcks.Count == MaxDeferredAcks)
            {
                task.DeferredAcks.RemoveAt(0);
            }

            task.DeferredAcks.Add((session, ack));
        }
    }

    private void Settle(TaskEntry task, decimal? result)
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
