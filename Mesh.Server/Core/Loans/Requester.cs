using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>The borrower's first steps: it finds out that it needs workers and asks its peers for them.</summary>
internal sealed class Requester(CoreState core, LoanKeeper keeper, Borrower borrower, WorkerMonitor monitor)
{
    private static readonly TimeSpan MaxRefusalPause = TimeSpan.FromSeconds(16);

    private readonly BorrowingHold _hold = new(core.Tasks);
    private BorrowRound? _round;

    /// <summary>An operator wants all borrowed workers returned. No peer is asked for others while the <see cref="BorrowingHold"/> lasts.</summary>
    /// <returns>As <see cref="Borrower.ReturnAll"/>.</returns>
    public IReadOnlyList<WorkerId> ReturnAll(DateTimeOffset now)
    {
        _round = null;
        _hold.Begin(now);
        return borrower.ReturnAll(now);
    }

    /// <summary>One balancing round.</summary>
    public void Balance(DateTimeOffset now)
    {
        if (core.Stopping)
        {
            return;
        }

        if (_hold.IsOn(now))
        {
            // Workers that were on their way when the hold began, and those whose owner did not acknowledge their release.
            borrower.ReleaseAll(now);
            return;
        }

        if (_round is { } round && now - round.AskedAt > 2 * core.Settings.Heartbeat.ReplyTimeout)
        {
            _round = null;
        }

        var view = new BalanceView(
            core.Tasks.Depth,
            now - core.Tasks.LowSince,
            ForGuests(),
            core.Loans.All.Count(loan => loan.State is LoanState.Expected or LoanState.Arrived),
            [.. core.Peers.All.Select(peer => new PeerView(peer.Id, peer.Alive && peer.AskAgainAt <= now, peer.Load))]);
        switch (Balancer.Decide(view, core.Settings.Balancing))
        {
            case BalanceDecision.Stay:
                break;
            case BalanceDecision.Borrow borrow when _round is null:
                _round = new BorrowRound(borrow.Workers, borrow.Peers);
                AskNext(now);
                break;
            case BalanceDecision.Borrow:
                break;
            case BalanceDecision.Release:
                borrower.ReleaseAll(now);
                break;
            default:
                throw new InvalidOperationException("A balance decision is unknown.");
        }
    }

    public void OnAvailable(PeerEntry owner, Available available, DateTimeOffset now)
    {
        foreach (var worker in available.Workers)
        {
            // An owner may name a worker that it has from us, or one that is here already.
            if (core.Loans.Find(worker) is not (null or { State: LoanState.Returned }) || core.Workers.Find(worker)?.Home == core.Settings.Id)
            {
                continue;
            }

            keeper.Open(new LoanRecord(worker, LoanRole.Borrower, owner.Id, LoanState.Expected, now, now) { TraceParent = available.TraceParent });
        }

        if (available.Workers.Count > 0 && available.Workers.All(worker => monitor.IsRemembered(worker, now)))
        {
            // It lends only workers that were set aside here, and are given back at once.
            Pause(owner, now);
        }
        else
        {
            owner.Refusals = 0;
        }

        Answered(owner, available.Workers.Count, now);
    }

    public void OnUnavailable(PeerEntry owner, Unavailable unavailable, DateTimeOffset now)
    {
        core.Tell(new WorkersRefused(owner.Id, unavailable.TraceParent));
        Pause(owner, now);
        Answered(owner, 0, now);
    }

    public void OnFailed(PeerEntry owner, DateTimeOffset now)
    {
        Pause(owner, now);
        Answered(owner, 0, now);
    }

    private int ForGuests()
    {
        var (own, guests) = (TaskTypes.None, TaskTypes.None);
        foreach (var worker in core.Workers.All)
        {
            if (worker.Home != core.Settings.Id)
            {
                guests |= worker.Handles;
            }
            else if (Lender.IsAtHome(worker, core) && !worker.Health.IsSetAside)
            {
                own |= worker.Handles;
            }
        }

        // What a promised worker handles shows when it is here.
        guests = core.Loans.InState(LoanState.Expected).Any() ? TaskTypes.All : guests;
        return core.Tasks.DepthOf(guests & ~own);
    }

    private static void Pause(PeerEntry owner, DateTimeOffset now)
    {
        var pause = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(owner.Refusals++, 8)));
        owner.AskAgainAt = now + (pause < MaxRefusalPause ? pause : MaxRefusalPause);
    }

    private void Answered(PeerEntry owner, int workers, DateTimeOffset now)
    {
        if (_round is null || _round.Asked != owner)
        {
            return;
        }

        _round.Needed -= workers;
        AskNext(now);
    }

    private void AskNext(DateTimeOffset now)
    {
        var enough = _round!.Needed <= 0 || core.Stopping || core.Tasks.Depth <= core.Settings.Balancing.MaxQueueThreshold;
        if (enough || _round.TakeNext() is not { } next)
        {
            _round = null;
            return;
        }

        _round.Asked = core.Peers.Find(next);
        _round.AskedAt = now;
        var request = new WorkerRequest(core.Settings.Advertise) { WorkersNeeded = _round.Needed, Server = core.Settings.Id };
        core.Effects.PeerSends.Add(new PeerSendEffect(
            next, request, ExpectsReply: true, Told: new WorkersRequested(next, _round.Needed, core.Tasks.Depth)));
    }
}
