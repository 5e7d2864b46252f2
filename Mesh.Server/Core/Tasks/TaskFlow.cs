using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core;

/// <summary>The life of an accepted task, from the queue to its end (docs/protocol.md, "The task cycle").</summary>
internal sealed class TaskFlow(CoreState core)
{
    private static readonly TimeSpan VoidRetry = TimeSpan.FromSeconds(1);

    /// <summary>A task that is lost with its connection more often than this ends its workers, it seems: from there on each time is a failed attempt.</summary>
    private const int MaxLostDeliveries = 10;

    private readonly Queue<(TaskEntry Task, DateTimeOffset Due)> _voidRetries = new();

    public DateTimeOffset? NextDeadline =>
        _voidRetries.TryPeek(out var retry) && !(core.Tasks.NextLeaseEnd < retry.Due) ? retry.Due : core.Tasks.NextLeaseEnd;

    public int VoidRetries => _voidRetries.Count;

    /// <summary>Gives a task to a worker that waits for one, or leaves it in the queue.</summary>
    public void Queue(TaskEntry task, DateTimeOffset now)
    {
        core.Tasks.Enqueue(task, now);
        if (!core.Stopping && core.Workers.TryTakeReady(task.Type, out var ask))
        {
            TryGive(ask.Worker, ask.Session, now);
        }
    }

    /// <summary>Answers a get_task with the longest waiting task that the worker handles, if there is one.</summary>
    public bool TryGive(WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        if (core.Stopping || !core.Tasks.TryDequeue(worker.Handles, now, out var task))
        {
            return false;
        }

        core.Tasks.Run(task, worker, now);
        core.Deliveries.Sent(task, worker, session);
        core.Give(session, task);
        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is { Served: false } loan)
        {
            loan.Served = true;
            core.Tell(new LoanServed(loan.Record, task));
        }

        return true;
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

        switch (task.Step, status.Outcome)
        {
            case (TaskStep.Settling or TaskStep.Closing, _):
                Acknowledge(task, session, ack);
                break;
            case (TaskStep.Storing, _):
                core.Refuse(session, status, $"TASK_ID: \"{task.Id}\" was not given to anyone");
                break;
            case (_, TaskOutcome.Ok):
                core.Tasks.Detach(task, now);
                task.LastWorker = status.Worker;
                (task.EndedAt, task.StatusTrace) = (now, status.TraceParent);
                Settle(task, status.Result);
                core.Journal.Reply(session, ack);
                break;
            case (TaskStep.Running, TaskOutcome.Nok) when task.Worker == worker:
                Fail(task, status.Error ?? "NOK", now, status.TraceParent);
                Acknowledge(task, session, ack);
                break;
            case (TaskStep.Running or TaskStep.Queued, TaskOutcome.Nok):
                // Said again, perhaps: what the first one changed may still be on its way to the store.
                core.Journal.Reply(session, ack);
                break;
            default:
                throw new InvalidOperationException($"Task step {task.Step} with outcome {status.Outcome} is unknown.");
        }
    }

    /// <summary>A running task did not reach its worker: it is queued again, and that was no attempt.</summary>
    public void TakeBack(TaskEntry task, string reason, DateTimeOffset now)
    {
        if (task.LostDeliveries >= MaxLostDeliveries)
        {
            Fail(task, reason, now);
            return;
        }

        var worker = task.Worker!.Id;
        core.Tasks.Detach(task, now);
        (task.TakenBackFrom, task.LostDeliveries, task.Attempts) = (worker, task.LostDeliveries + 1, task.Attempts - 1);
        core.Tell(new TaskUndelivered(task.Record, worker, reason));
        Queue(task, now);
    }

    /// <summary>An attempt ended without a result: again, or the end.</summary>
    public void Fail(TaskEntry task, string error, DateTimeOffset now, string? trace = null)
    {
        core.Tasks.Detach(task, now);
        (task.Error, task.EndedAt, task.StatusTrace) = (error, now, trace);
        if (task.Attempts < core.Settings.Tasks.MaxAttempts)
        {
            core.Journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task.ToRecord(TaskState.Queued)));
            core.Tell(new TaskPutBack(task.Record, error));
            core.Effects.TaskEnds.Add(new TaskEnd(task, TaskState.Queued, now, trace, error));
            Queue(task, now);
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

        while (_voidRetries.TryPeek(out var retry) && retry.Due <= now)
        {
            _voidRetries.Dequeue();
            if (retry.Task.Step == TaskStep.Closing)
            {
                core.Effects.Voids.Add(retry.Task.Record);
            }
        }
    }

    private void Acknowledge(TaskEntry task, SessionId session, Ack ack)
    {
        if (task.Step == TaskStep.Closing)
        {
            task.ClosingAcks.Add((session, ack));
        }
        else
        {
            core.Journal.Reply(session, ack);
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
        task.Step = TaskStep.Settling;
        core.Journal.Add(StoreOp.Of(StoreOpKind.BuryTask, task.ToRecord(TaskState.Dead)));
        Ended(AfterStoreKind.Buried, task);
    }

    private void Ended(AfterStoreKind kind, TaskEntry task)
    {
        core.Journal.Then(new AfterStore(kind) { Task = task });
        foreach (var (session, ack) in task.ClosingAcks)
        {
            core.Journal.Reply(session, ack);
        }
    }
}
