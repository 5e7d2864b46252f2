using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core;

/// <summary>The life of an accepted task, from the queue to its end (docs/protocol.md, "The task cycle").</summary>
internal sealed class TaskFlow(CoreState core, WorkerMonitor workers)
{
    /// <summary>Connections that a closing task's end is told on: the latest, since a line worker repeats its status on a new one each time.</summary>
    private const int MaxClosingAcks = 16;

    private static readonly TimeSpan VoidRetry = TimeSpan.FromSeconds(1);

    private readonly Queue<(TaskEntry Task, DateTimeOffset Due)> _voidRetries = new();
    private readonly RetryRouter _retries = new(core);

    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Tasks.NextLeaseEnd;
            next = _voidRetries.TryPeek(out var retry) && !(next < retry.Due) ? retry.Due : next;
            return _retries.NextDeadline is { } due && !(next < due) ? due : next;
        }
    }

    public int VoidRetries => _voidRetries.Count;

    /// <summary>Gives a task to a worker that waits for one, or leaves it in the queue.</summary>
    public void Queue(TaskEntry task, DateTimeOffset now)
    {
        core.Tasks.Enqueue(task, now);
        if (task.IsRetry)
        {
            Offer(task, now);
            return;
        }

        // A worker that waits may get a task that has waited longer.
        while (!core.Stopping && task.Step == TaskStep.Queued && core.Workers.TryTakeReady(task.Type, out var ask))
        {
            if (!TryGive(ask.Worker, ask.Session, now))
            {
                throw new InvalidOperationException($"Worker {ask.Worker.Id} waits for a task, and may not have one.");
            }
        }
    }

    /// <summary>Answers a get_task with the longest waiting task that the worker handles, if there is one and the worker may have it. Those that were tried before come first.</summary>
    public bool TryGive(WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        if (core.Stopping || !worker.Health.MayTake(worker.Running.Count, now)
            || !(_retries.TryTake(worker, now, out var task) || core.Tasks.TryDequeue(worker.Handles, now, out task)))
        {
            return false;
        }

        Give(task, worker, session, now);
        return true;
    }

    /// <summary>Whether a task becomes a dead letter if its running attempt fails now.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _retries.IsOver(task, now);

    private void Give(TaskEntry task, WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        core.Tasks.Run(task, worker, now);
        core.Deliveries.Sent(task, worker, session);
        core.Give(session, task);
        if (worker.Health.IsLimited)
        {
            WorkerBook.Park(worker);
        }

        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is { Served: false } loan)
        {
            loan.Served = true;
            core.Tell(new LoanServed(loan.Record, task));
        }
    }

    /// <summary>Gives a retry that is due to a suitable worker that waits, or leaves it in the queue.</summary>
    private void Offer(TaskEntry task, DateTimeOffset now)
    {
        if (task.RetryNode.List is not null && _retries.FindAsk(task, now) is { } ask)
        {
            core.Workers.Drop(ask);
            core.Tasks.TakeRetry(task, now);
            Give(task, ask.Worker, ask.Session, now);
        }
    }

    public void OnStatus(SessionId session, TaskStatus status, DateTimeOffset now)
    {
        var worker = core.Workers.Find(status.Worker);
        if (worker is not null)
        {
            worker.LastSeen = now;
        }

        if (!AnsweredTask.TryFind(status, worker, out var answered, out var error))
        {
            core.Refuse(session, status, error);
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
            DeliveryBook.Confirm(task, worker);
        }

        var attempt = task.Attempts;
        switch (task.Step, status.Outcome)
        {
            case (TaskStep.Settling or TaskStep.Closing, _):
                Acknowledge(task, session, ack, attempt);
                break;
            case (TaskStep.Storing, _):
                core.Refuse(session, status, $"TASK_ID: \"{task.Id}\" was not given to anyone");
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
    public void TakeBack(TaskEntry task, string reason, DateTimeOffset now)
    {
        var worker = task.Worker!.Id;
        task.TakenBackFrom = worker;
        Return(task, $"it did not reach {worker}: {reason}", now);
    }

    /// <summary>An attempt ended without a result: again, or the end.</summary>
    public void Fail(TaskEntry task, string error, DateTimeOffset now, string? trace = null)
    {
        var (isOver, worker) = (_retries.IsOver(task, now), task.Worker);
        core.Tasks.Detach(task, now);
        (task.Error, task.EndedAt, task.StatusTrace) = (error, now, trace);
        if (worker is not null)
        {
            task.NoteFailure(worker.Id, task.StartedAt, now);
            workers.OnFailed(worker, now);
        }

        if (!isOver)
        {
            core.Journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task.ToRecord(TaskState.Queued)));
            core.Tell(new TaskPutBack(task.Record, task.Attempts, error));
            core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, error));
            core.Tasks.Enqueue(task, now, now + RetryPolicy.Delay(task.Attempts, core.Settings.Tasks));
            Offer(task, now);
            return;
        }

        switch (task.Type)
        {
            case TaskType.Query:
                Bury(task);
                break;
            case TaskType.Update:
                // An attempt that seemed to fail may have been applied, or may still be: the ledger decides, once and for all.
                task.Step = TaskStep.Closing;
                core.Effects.Voids.Add(task.Record);
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
        if (task.Returns >= RetryPolicy.MaxReturns)
        {
            Fail(task, reason, now, trace);
            return;
        }

        var worker = task.Worker;
        core.Tasks.Detach(task, now);
        task.Attempts--;
        task.Returns++;
        (task.EndedAt, task.StatusTrace) = (now, trace);
        core.Tell(new TaskReturned(task.Record, reason));
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, reason, IsReturned: true));
        if (worker is { Health.IsLimited: true })
        {
            core.Resumed.Add(worker.Id);
        }

        // The first time at once; one that nobody keeps is not passed around without end.
        core.Tasks.Enqueue(task, now, task.Returns == 1 ? now : now + RetryPolicy.Delay(task.Returns - 1, core.Settings.Tasks));
        Offer(task, now);
    }

    public void OnVoided(TaskId id, decimal? applied)
    {
        if (core.Tasks.Find(id) is not { Step: TaskStep.Closing } task)
        {
            return;
        }

        if (applied is { } balance)
        {
            Settle(task, balance);
        }
        else
        {
            Bury(task);
        }
    }

    public void OnVoidFailed(TaskId id, DateTimeOffset now)
    {
        if (core.Tasks.Find(id) is { Step: TaskStep.Closing } task)
        {
            _voidRetries.Enqueue((task, now + VoidRetry));
        }
    }

    public void OnSettled(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Tasks.Done += task.Record.Keeper is null ? 1 : 0;
        if (task.Record.Keeper is { } keeper && core.Adoptions.TryGetValue(keeper, out var adoption))
        {
            adoption.Done++;
        }

        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Done, task.EndedAt, task.StatusTrace, null));
    }

    public void OnBuried(TaskEntry task)
    {
        core.Tasks.Remove(task);
        core.Tasks.Dead += task.Record.Keeper is null ? 1 : 0;
        core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Dead, task.EndedAt, task.StatusTrace, task.Error));
        core.Tell(new TaskBuried(task.ToRecord(TaskState.Dead)));
    }

    public void OnTimer(DateTimeOffset now)
    {
        while (core.Tasks.TryTakeExpired(now, out var task))
        {
            Fail(task, $"no status within the lease of {core.Settings.Tasks.LeaseTime.TotalSeconds:0.###} s", now);
        }

        OfferRetries(now);
        while (_voidRetries.TryPeek(out var retry) && retry.Due <= now)
        {
            _voidRetries.Dequeue();
            if (retry.Task.Step == TaskStep.Closing)
            {
                core.Effects.Voids.Add(retry.Task.Record);
            }
        }
    }

    private void OfferRetries(DateTimeOffset now)
    {
        while (core.Tasks.Retries.TryMoveDue(now, out var task))
        {
            Offer(task, now);
        }

        // The better workers that some have waited for may have left.
        foreach (var task in _retries.TakeWaiting(now))
        {
            Offer(task, now);
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
            workers.OnDone(task, worker.Id, now);
        }
    }

    private void Acknowledge(TaskEntry task, SessionId session, Ack ack, int attempt)
    {
        if (task.Step != TaskStep.Closing)
        {
            core.Journal.Reply(session, ack, task, attempt);
        }
        else if (!task.ClosingAcks.Exists(known => known.Session == session))
        {
            if (task.ClosingAcks.Count == MaxClosingAcks)
            {
                task.ClosingAcks.RemoveAt(0);
            }

            task.ClosingAcks.Add((session, ack));
        }
    }

    private void Settle(TaskEntry task, decimal? result)
    {
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.SettleTask, task.ToRecord(TaskState.Done, result)));
        Ended(AfterStoreKind.Settled, task);
    }

    private void Bury(TaskEntry task)
    {
        workers.OnDead(task);
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.BuryTask, task.ToRecord(TaskState.Dead)));
        Ended(AfterStoreKind.Buried, task);
    }

    private void Ended(AfterStoreKind kind, TaskEntry task)
    {
        core.Journal.Then(new AfterStore(kind) { Task = task });
        foreach (var (session, ack) in task.ClosingAcks)
        {
            core.Journal.Reply(session, ack, task, task.Attempts);
        }
    }
}
