using Mesh.Transport;

namespace Mesh.Server.Core;

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
