namespace Mesh.Server.Core.Loans;

/// <summary>
/// Decides when the balancing rounds are due: after each interval, and at once when a round could decide something that the last one could not
/// (docs/protocol.md, "When a balancing round is due"). There are no rounds without waiting tasks and loans.
/// </summary>
internal sealed class BalancingSchedule(CoreState core, LoanRequester requester, DateTimeOffset start)
{
    private DateTimeOffset _nextRegular = start;
    private DateTimeOffset _lastRound = start;

    /// <summary>The largest need for borrowed workers that a round saw since <see cref="_needResetAt"/> was last set. The need is 0 while the queue is not above the high mark.</summary>
    private int _need;

    /// <summary>The time from which a round sets <see cref="_need"/> to a lower value.</summary>
    private DateTimeOffset _needResetAt = start;

    /// <summary>The next time after the last round at which a condition that the round saw has lasted long enough, or null.</summary>
    private DateTimeOffset? _nextCondition;

    private TimeSpan Interval => core.Settings.Timing.LoadBalancerInterval;

    private TimeSpan ReleaseAfter => core.Settings.Balancing.ReleaseAfter;

    private int Need => core.Tasks.AboveMaxThresholdSince is null ? 0 : Balancer.WantedWorkers(core.Tasks.Depth, core.Settings.Balancing);

    /// <summary>The time of the next round, which is in the past when a round is due at once, or null.</summary>
    public DateTimeOffset? NextRound
    {
        get
        {
            var hasLoans = core.Loans.All.Count > 0;
            if (core.Tasks.Depth == 0 && !hasLoans)
            {
                return null;
            }

            var next = Earlier(_nextRegular, _nextCondition);
            if (hasLoans)
            {
                next = Earlier(next, core.Tasks.BelowMinThresholdSince + ReleaseAfter);
                next = Earlier(next, requester.LastPromise + ReleaseAfter);
            }

            return requester.IsRequesting ? next : HasNeedGrown ? _lastRound : EarlierPeer(next);
        }
    }

    /// <summary>
    /// True when the need is at least twice the largest one that a recent round saw. So a queue that rises above the high mark causes a round at once, a queue that then grows
    /// causes a few more, and a queue that goes up and down around the mark does not cause one each time.
    /// </summary>
    private bool HasNeedGrown => Need is > 0 and var need && need >= 2 * _need;

    /// <summary>Runs a round.</summary>
    public void Run(DateTimeOffset now)
    {
        if (now >= _needResetAt)
        {
            (_need, _needResetAt) = (0, now + Interval);
        }

        _need = Math.Max(_need, Need);
        (_lastRound, _nextRegular) = (now, now + Interval);
        requester.Balance(now);
        _nextCondition = requester.FindNextCondition(now);
    }

    /// <summary>The time at which a peer can be asked that could not be asked at the last round, if workers are needed and the time is earlier.</summary>
    private DateTimeOffset EarlierPeer(DateTimeOffset next)
    {
        if (core.Tasks.AboveMaxThresholdSince is null && !requester.HasUnservedTypes)
        {
            return next;
        }

        foreach (var peer in core.Peers.All)
        {
            next = peer is { Alive: true, IsLeaving: false } ? Earlier(next, peer.NextRequestAt > peer.OfferedSince ? peer.NextRequestAt : peer.OfferedSince) : next;
        }

        return next;
    }

    /// <summary>Returns the earlier of two times. A time up to the last round is ignored, because that round has taken it into account.</summary>
    private DateTimeOffset Earlier(DateTimeOffset next, DateTimeOffset? other) => other > _lastRound && other < next ? other.Value : next;
}
