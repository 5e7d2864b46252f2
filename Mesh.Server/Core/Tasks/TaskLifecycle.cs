using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>Moves an accepted task through its steps, from the queue to its settlement (docs/protocol.md, "The task cycle").</summary>
internal sealed partial class TaskLifecycle(CoreState core, WorkerMonitor workers, FollowUps followUps)
{
    /// <summary>The number of scheduled tasks that one <see cref="OnTimer"/> queues. Other inputs are handled before the next ones, so that many tasks with the same time do not stop the server.</summary>
    private const int MaxDueTasks = 1_000;

    private static readonly TimeSpan InvalidationRetryDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<(TaskEntry Task, DateTimeOffset Due)> _invalidationRetries = new();
    private readonly RetryRouter _retries = new(core);

    /// <summary>The time when <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Tasks.NextLeaseEnd;
            next = core.Tasks.Timeouts.NextDue is { } timeout && !(next < timeout) ? timeout : next;
            next = _invalidationRetries.TryPeek(out var retry) && !(next < retry.Due) ? retry.Due : next;
            next = core.Tasks.Scheduled.NextDue is { } scheduled && !(next < scheduled) ? scheduled : next;
            return _retries.NextDeadline is { } due && !(next < due) ? due : next;
        }
    }

    /// <summary>The number of tasks that wait for another attempt to invalidate them.</summary>
    public int InvalidationRetries => _invalidationRetries.Count;

    /// <summary>
    /// Queues a task and dispatches it at once if a worker has a pending poll for it. Before its <see cref="TaskRecord.NotBefore"/> it is scheduled instead, and a task that was
    /// cancelled is settled.
    /// </summary>
    public void Enqueue(TaskEntry task, DateTimeOffset now)
    {
        if (task.IsCancelRequested)
        {
            EndCancelled(task, now);
            return;
        }

        Enqueue(task, now, now);
    }

    /// <summary>
    /// Answers a get_task with the oldest suitable retry, or else with the queued task that comes next of those that the worker handles. Returns false when there is no task, the worker cannot
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

    /// <summary>Queues a task again that was sent to its worker and did not reach it.</summary>
    public void ReturnUndelivered(TaskEntry task, string reason, DateTimeOffset now)
    {
        var worker = task.Worker!.Id;
        task.UndeliveredTo = worker;
        Return(task, $"it did not reach {worker}: {reason}", now);
    }

    /// <summary>Ends a failed attempt. The task is scheduled for a retry, or becomes a dead letter when its attempts are exhausted.</summary>
    /// <param name="mayRetry">False when the worker reports that the task cannot succeed. It becomes a dead letter.</param>
    /// <param name="retryAfter">The delay before the next attempt that the worker asks for, or null.</param>
    public void Fail(TaskEntry task, string error, DateTimeOffset now, string? trace = null, bool mayRetry = true, TimeSpan? retryAfter = null)
    {
        if (task.IsCancelRequested)
        {
            task.Error = error;
            EndCancelled(task, now, trace);
            return;
        }

        var (isExhausted, worker) = (!mayRetry || _retries.IsExhausted(task, now), task.Worker);
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
            Enqueue(task, now, now + (retryAfter ?? RetryPolicy.Delay(task.Record, core.Settings.Tasks, task.Attempts)));
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
        if (task.IsCancelRequested || task.UncountedReturns >= RetryRouter.MaxReturns)
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
        Enqueue(task, now, task.UncountedReturns == 1 ? now : now + RetryPolicy.Delay(task.Record, core.Settings.Tasks, task.UncountedReturns - 1));
    }

    /// <summary>Fails attempts whose task lease or timeout has expired, queues scheduled tasks that are due, and repeats failed invalidations.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (core.Tasks.TryPeekExpired(now, out var task))
        {
            Fail(task, $"no status within the lease of {core.Settings.Tasks.LeaseTime.TotalSeconds:0.###} s", now);
        }

        while (core.Tasks.Timeouts.TryPeekDue(now, out var late))
        {
            Fail(late, $"the attempt ran longer than the timeout of {late.Record.Limits!.Timeout!.Value.TotalSeconds:0.###} s", now);
        }

        QueueDueTasks(now);
        while (_invalidationRetries.TryPeek(out var retry) && retry.Due <= now)
        {
            _invalidationRetries.Dequeue();
            if (retry.Task.Step == TaskStep.Invalidating)
            {
                core.Effects.Invalidations.Add(retry.Task.Record);
            }
        }
    }

    /// <summary>Queues a task, or schedules it when <paramref name="due"/> or its <see cref="TaskRecord.NotBefore"/> is later than now. No other method decides between the two.</summary>
    /// <param name="due">The end of the retry delay.</param>
    private void Enqueue(TaskEntry task, DateTimeOffset now, DateTimeOffset due)
    {
        due = task.Record.NotBefore > due ? task.Record.NotBefore.Value : due;
        if (due > now)
        {
            core.Tasks.Schedule(task, due);
            return;
        }

        core.Tasks.Enqueue(task, now);
        if (task.IsRetry)
        {
            DispatchRetryIfPossible(task, now);
            return;
        }

        // A pending poll may receive another task than this one, which comes before it. The loop ends when this task is dispatched or no poll is left.
        while (!core.Stopping && task.Step == TaskStep.Queued && core.Workers.Polls.TryTakeReady(task.Type, out var poll))
        {
            if (!TryDispatch(poll.Worker, poll.Session, now))
            {
                throw new InvalidOperationException($"Worker {poll.Worker.Id} has a ready poll and cannot receive a task.");
            }
        }
    }

    private void Dispatch(TaskEntry task, WorkerEntry worker, SessionId session, DateTimeOffset now)
    {
        core.Tasks.StartAttempt(task, worker, now);
        core.Deliveries.RecordSent(task, worker, session);
        core.SendTask(session, task, withAttempt: !worker.RunsOneTaskAtATime);
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

    /// <summary>Dispatches a queued retry if a suitable worker has a pending poll.</summary>
    private void DispatchRetryIfPossible(TaskEntry task, DateTimeOffset now)
    {
        if (task.RetryNode.List is not null && _retries.FindPendingPoll(task, now) is { } poll)
        {
            core.Workers.Polls.Remove(poll);
            core.Tasks.TakeRetry(task, now);
            Dispatch(task, poll.Worker, poll.Session, now);
        }
    }

    private void QueueDueTasks(DateTimeOffset now)
    {
        for (var count = 0; count < MaxDueTasks && core.Tasks.Scheduled.TryTakeDue(now, out var task); count++)
        {
            Enqueue(task, now);
        }

        // The better workers that these retries waited for may have disconnected.
        foreach (var task in _retries.TakeDueRetries(now))
        {
            DispatchRetryIfPossible(task, now);
        }
    }
}
