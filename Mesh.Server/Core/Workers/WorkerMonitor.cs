using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Transport;

namespace Mesh.Server.Core.Workers;

/// <summary>Updates the <see cref="WorkerHealth"/> of each worker, limits workers with strikes for some time, and reports the changes.</summary>
internal sealed class WorkerMonitor(CoreState core)
{
    /// <summary>The largest number of borrowed workers that are remembered.</summary>
    private const int MaxSetAsideRecords = 1000;

    /// <summary>The workers with strikes, in the order in which their pause or their limits end.</summary>
    private readonly SortedSet<WorkerEntry> _limited = new(Comparer<WorkerEntry>.Create((a, b) => a.HealthTimer.CompareTo(b.HealthTimer)));

    /// <summary>The borrowed workers that were set aside. One that is lent again before this time is set aside at once.</summary>
    private readonly Dictionary<WorkerId, DateTimeOffset> _setAsideUntil = [];
    private long _order;

    /// <summary>The time when the next pause or the next limits end, or null.</summary>
    public DateTimeOffset? NextDeadline => _limited.Min?.HealthTimer.Due;

    /// <summary>Clears the failures and limits of a worker that completed a task.</summary>
    public void OnSucceeded(WorkerEntry worker)
    {
        if (worker.Health.Failures > 0 || worker.Health.IsLimited)
        {
            Clear(worker, "it completed a task");
        }
    }

    /// <summary>Clears the failures and limits of a worker that connected again after its connection had closed.</summary>
    public void OnReconnected(WorkerEntry worker) => Clear(worker, "it reconnected");

    /// <summary>Counts a failed attempt. A worker with strikes is paused again.</summary>
    public void OnFailed(WorkerEntry worker, DateTimeOffset now)
    {
        worker.Health = worker.Health.AddFailure(now);
        if (worker.Health.IsLimited)
        {
            Pause(worker);
        }
    }

    /// <summary>Adds a strike to the workers that failed at a task which another worker completed.</summary>
    public void OnTaskDone(TaskEntry task, WorkerId doneBy, DateTimeOffset now)
    {
        foreach (var attempt in task.Failures)
        {
            if (attempt.Worker == doneBy || core.Workers.Find(attempt.Worker) is not { } worker)
            {
                continue;
            }

            var before = worker.Health;
            worker.Health = before.AddStrike(attempt, now, core.Settings.Tasks.SetAsideAfter);
            if (worker.Health.Strikes > before.Strikes)
            {
                OnStrikeAdded(worker, wasSetAside: before.IsSetAside, now);
            }
        }
    }

    /// <summary>Removes one failure from each worker that failed at a task. Called when the task becomes a dead letter, because the failures are not evidence against the workers.</summary>
    public void OnTaskDeadLettered(TaskEntry task)
    {
        foreach (var attempt in task.Failures)
        {
            if (core.Workers.Find(attempt.Worker) is { } worker)
            {
                worker.Health = worker.Health.RemoveFailure();
            }
        }
    }

    /// <summary>Returns whether a borrowed worker was set aside here within the retention time.</summary>
    public bool WasSetAside(WorkerId borrowed, DateTimeOffset now) => _setAsideUntil.TryGetValue(borrowed, out var until) && until > now;

    /// <summary>Sets a newly arrived borrowed worker aside if it was set aside during an earlier loan.</summary>
    public void OnBorrowedWorkerArrived(WorkerEntry borrowed, DateTimeOffset now)
    {
        if (WasSetAside(borrowed.Id, now))
        {
            borrowed.Health = WorkerHealth.CreateSetAside(now);
            Pause(borrowed);
        }
    }

    /// <summary>Stops tracking a worker that is removed from memory.</summary>
    public void OnRemoved(WorkerEntry worker) => _limited.Remove(worker);

    /// <summary>Ends the pauses that are over, and the limits of workers that have not failed for long.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (_limited.Min is { } worker && worker.HealthTimer.Due <= now)
        {
            if (worker.Health.LimitedUntil <= now)
            {
                Clear(worker, "it has not failed for ten minutes");
            }
            else
            {
                SetTimer(worker, worker.Health.LimitedUntil);
                core.UnpausedWorkers.Add(worker.Id);
            }
        }
    }

    private void OnStrikeAdded(WorkerEntry worker, bool wasSetAside, DateTimeOffset now)
    {
        Pause(worker);
        if (!worker.Health.IsSetAside)
        {
            core.Report(new WorkerPaused(worker.Id, worker.Health.Strikes, worker.Health.PausedUntil - now));
        }
        else if (!wasSetAside)
        {
            core.Report(new WorkerSetAside(worker.Id, worker.Home, worker.Health.Strikes));
            if (worker.Home != core.Settings.Id)
            {
                RecordSetAside(worker.Id, now);
            }
        }
    }

    private void Pause(WorkerEntry worker)
    {
        PollRegistry.Suspend(worker);
        SetTimer(worker, worker.Health.PausedUntil);
    }

    private void SetTimer(WorkerEntry worker, DateTimeOffset due)
    {
        _limited.Remove(worker);
        worker.HealthTimer = (due, ++_order);
        _limited.Add(worker);
    }

    private void Clear(WorkerEntry worker, string reason)
    {
        var before = worker.Health;
        worker.Health = default;
        if (!before.IsLimited)
        {
            return;
        }

        _limited.Remove(worker);
        _setAsideUntil.Remove(worker.Id);
        core.UnpausedWorkers.Add(worker.Id);
        if (before.IsSetAside)
        {
            core.Report(new WorkerReinstated(worker.Id, worker.Home, reason));
        }
    }

    private void RecordSetAside(WorkerId borrowed, DateTimeOffset now)
    {
        if (_setAsideUntil.Count >= MaxSetAsideRecords)
        {
            foreach (var (old, until) in _setAsideUntil)
            {
                if (until <= now || _setAsideUntil.Count >= MaxSetAsideRecords)
                {
                    _setAsideUntil.Remove(old);
                }
            }
        }

        _setAsideUntil[borrowed] = now + WorkerHealth.LimitTime;
    }
}

/// <summary>
/// The failures of a worker since its last success. A failed attempt alone is not evidence against the worker, because the task may be the cause. A strike is: the worker failed
/// at a task that another worker then completed. A worker with strikes receives one task at a time, with increasing pauses. With <see cref="TasksOptions.SetAsideAfter"/> strikes it
/// is set aside: it receives one task a minute, to find out whether it works again. A success ends the limits, and so does a time without a failure, because a worker without tasks cannot succeed. Immutable.
/// </summary>
internal readonly record struct WorkerHealth
{
    /// <summary>The pause after the first strike. Each further strike doubles the pause.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause of a worker that is not set aside.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The time between two tasks of a worker that is set aside.</summary>
    public static readonly TimeSpan SetAsidePause = TimeSpan.FromMinutes(1);

    /// <summary>The time without a failure after which a worker is no longer limited.</summary>
    public static readonly TimeSpan LimitTime = TimeSpan.FromMinutes(10);

    /// <summary>The number of failed attempts since the last success, without those at tasks that became dead letters.</summary>
    public int Failures { get; init; }

    /// <summary>The time of the first of these failures.</summary>
    public DateTimeOffset FailingSince { get; init; }

    /// <summary>The number of strikes since the last success.</summary>
    public int Strikes { get; init; }

    /// <summary>The time when the last strike was added.</summary>
    public DateTimeOffset LastStrikeAt { get; init; }

    /// <summary>The time before which the worker receives no task.</summary>
    public DateTimeOffset PausedUntil { get; init; }

    public bool IsSetAside { get; init; }

    /// <summary>True when the worker receives one task at a time.</summary>
    public bool IsLimited => Strikes > 0;

    /// <summary>The time when the limits end if it does not fail again.</summary>
    public DateTimeOffset LimitedUntil => PausedUntil + LimitTime;

    /// <summary>Returns whether the worker can receive another task.</summary>
    /// <param name="running">The number of tasks that it is running.</param>
    public bool CanReceiveTask(int running, DateTimeOffset now) => Strikes == 0 || (running == 0 && PausedUntil <= now);

    /// <summary>Adds a failed attempt.</summary>
    public WorkerHealth AddFailure(DateTimeOffset now) => this with
    {
        Failures = Failures + 1,
        FailingSince = Failures == 0 ? now : FailingSince,
        PausedUntil = IsLimited ? now + Pause(Strikes, IsSetAside) : PausedUntil,
    };

    /// <summary>Removes a failed attempt whose task became a dead letter. The cause may be the task.</summary>
    public WorkerHealth RemoveFailure() => Failures > 0 ? this with { Failures = Failures - 1 } : this;

    /// <summary>
    /// Adds a strike for a task that another worker completed. Returns the same health if the worker has had a success since the attempt, or started the attempt before its last
    /// strike: several failures at the same time count as one strike.
    /// </summary>
    /// <param name="setAsideAfter">The number of strikes after which the worker is set aside, or 0 for never.</param>
    public WorkerHealth AddStrike(in FailedAttempt attempt, DateTimeOffset now, int setAsideAfter)
    {
        if (Failures == 0 || attempt.Failed < FailingSince || (Strikes > 0 && attempt.Started <= LastStrikeAt))
        {
            return this;
        }

        var strikes = Strikes + 1;
        var setAside = IsSetAside || (setAsideAfter > 0 && strikes >= setAsideAfter);
        return this with { Strikes = strikes, LastStrikeAt = now, IsSetAside = setAside, PausedUntil = now + Pause(strikes, setAside) };
    }

    /// <summary>Creates the health of a worker that was set aside during an earlier loan.</summary>
    public static WorkerHealth CreateSetAside(DateTimeOffset now) =>
        new() { Failures = 1, FailingSince = now, Strikes = 1, LastStrikeAt = now, IsSetAside = true, PausedUntil = now + SetAsidePause };

    private static TimeSpan Pause(int strikes, bool setAside) => setAside ? SetAsidePause : new Backoff(FirstPause, LongestPause).Delay(strikes);
}
