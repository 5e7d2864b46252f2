using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Transport;

namespace Mesh.Server.Core.Workers;

/// <summary>Keeps the <see cref="WorkerHealth"/> of each worker, and acts on its changes.</summary>
internal sealed class WorkerMonitor(CoreState core)
{
    /// <summary>A guest that was set aside is not made use of again for this time.</summary>
    private static readonly TimeSpan SetAsideRetention = TimeSpan.FromMinutes(10);

    /// <summary>How many guests are remembered.</summary>
    private const int MaxSetAsideRecords = 1000;

    /// <summary>Workers whose pause has not ended.</summary>
    private readonly List<WorkerEntry> _paused = [];

    private readonly Dictionary<WorkerId, DateTimeOffset> _setAsideUntil = [];

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var worker in _paused)
            {
                next = next is null || worker.Health.PausedUntil < next ? worker.Health.PausedUntil : next;
            }

            return next;
        }
    }

    public void OnSucceeded(WorkerEntry worker)
    {
        if (worker.Health.Failures > 0 || worker.Health.IsLimited)
        {
            Clear(worker, "it has done a task");
        }
    }

    /// <summary>The worker's connection had closed, and it is here on a new one.</summary>
    public void OnReconnected(WorkerEntry worker) => Clear(worker, "it has connected anew");

    public void OnFailed(WorkerEntry worker, DateTimeOffset now)
    {
        worker.Health = worker.Health.AddFailure(now);
        if (worker.Health.IsLimited)
        {
            Pause(worker);
        }
    }

    /// <summary>A task is done: whoever failed at it before has a strike.</summary>
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

    /// <summary>A task is a dead letter: nobody who failed at it is blamed.</summary>
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

    /// <summary>Whether a guest was set aside here lately.</summary>
    public bool WasSetAside(WorkerId borrowed, DateTimeOffset now) => _setAsideUntil.TryGetValue(borrowed, out var until) && until > now;

    /// <summary>A guest is here that was not here before.</summary>
    public void OnBorrowedWorkerArrived(WorkerEntry borrowed, DateTimeOffset now)
    {
        if (WasSetAside(borrowed.Id, now))
        {
            borrowed.Health = WorkerHealth.CreateSetAside(now);
            Pause(borrowed);
        }
    }

    /// <summary>The worker is forgotten.</summary>
    public void OnRemoved(WorkerEntry worker) => _paused.Remove(worker);

    public void OnTimer(DateTimeOffset now)
    {
        for (var i = _paused.Count - 1; i >= 0; i--)
        {
            if (_paused[i].Health.PausedUntil <= now)
            {
                core.UnpausedWorkers.Add(_paused[i].Id);
                _paused.RemoveAt(i);
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
        WorkerRegistry.SuspendPolls(worker);
        if (!_paused.Contains(worker))
        {
            _paused.Add(worker);
        }
    }

    private void Clear(WorkerEntry worker, string why)
    {
        var before = worker.Health;
        worker.Health = default;
        if (!before.IsLimited)
        {
            return;
        }

        _paused.Remove(worker);
        _setAsideUntil.Remove(worker.Id);
        core.UnpausedWorkers.Add(worker.Id);
        if (before.IsSetAside)
        {
            core.Report(new WorkerReinstated(worker.Id, worker.Home, why));
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

        _setAsideUntil[borrowed] = now + SetAsideRetention;
    }
}

/// <summary>
/// How a worker does at its tasks, since its last success. A failed attempt alone says nothing about the worker: the task may be at fault. A strike is evidence
/// against it: it failed at a task that another worker then did. With strikes it gets one task at a time, after pauses that grow; with enough of them it is set aside,
/// and is given one task a minute to find out whether it is well again. Immutable.
/// </summary>
internal readonly record struct WorkerHealth
{
    /// <summary>The pause after the first strike, doubled with each further one.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause of a worker that is not set aside.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The time between two tasks of a worker that is set aside.</summary>
    public static readonly TimeSpan SetAsidePause = TimeSpan.FromMinutes(1);

    /// <summary>Attempts in a row that failed, but for those at tasks that became dead letters.</summary>
    public int Failures { get; init; }

    /// <summary>When the first of them failed.</summary>
    public DateTimeOffset FailingSince { get; init; }

    /// <summary>How often it failed at a task that another worker then did.</summary>
    public int Strikes { get; init; }

    /// <summary>When the last strike was found out.</summary>
    public DateTimeOffset LastStrikeAt { get; init; }

    /// <summary>It gets no task before.</summary>
    public DateTimeOffset PausedUntil { get; init; }

    public bool IsSetAside { get; init; }

    /// <summary>It gets one task at a time.</summary>
    public bool IsLimited => Strikes > 0;

    /// <summary>Whether it may be given a task beside those that it has.</summary>
    public bool CanReceiveTask(int running, DateTimeOffset now) => Strikes == 0 || (running == 0 && PausedUntil <= now);

    /// <summary>An attempt failed.</summary>
    public WorkerHealth AddFailure(DateTimeOffset now) => this with
    {
        Failures = Failures + 1,
        FailingSince = Failures == 0 ? now : FailingSince,
        PausedUntil = IsLimited ? now + Pause(Strikes, IsSetAside) : PausedUntil,
    };

    /// <summary>A task at which it failed has become a dead letter: the task was at fault, or nobody knows.</summary>
    public WorkerHealth RemoveFailure() => Failures > 0 ? this with { Failures = Failures - 1 } : this;

    /// <summary>
    /// A task at which it failed has been done by another worker. That is a strike, unless it has had a success since, or had that attempt before its last strike: of
    /// all that fails at one time only one counts.
    /// </summary>
    /// <param name="setAsideAfter">The strikes with which it is set aside; 0 for never.</param>
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

    /// <summary>A worker that was set aside here lately, and is here again on another loan.</summary>
    public static WorkerHealth CreateSetAside(DateTimeOffset now) =>
        new() { Failures = 1, FailingSince = now, Strikes = 1, LastStrikeAt = now, IsSetAside = true, PausedUntil = now + SetAsidePause };

    private static TimeSpan Pause(int strikes, bool setAside) => setAside ? SetAsidePause : new Backoff(FirstPause, LongestPause).Delay(strikes);
}
