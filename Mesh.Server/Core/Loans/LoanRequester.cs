using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using Mesh.Transport;

namespace Mesh.Server.Core.Loans;

/// <summary>The borrower's first steps: it finds out that it needs workers and asks its peers for them.</summary>
internal sealed class LoanRequester(CoreState core, LoanWriter loanWriter, Borrower borrower, WorkerMonitor monitor)
{
    private static readonly Backoff RefusalPauses = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(16));

    private readonly BorrowingCooldown _cooldown = new(core.Tasks);
    private BorrowRequest? _request;

    /// <summary>An operator wants all borrowed workers returned. No peer is asked for others while the <see cref="BorrowingCooldown"/> lasts.</summary>
    /// <returns>As <see cref="Borrower.ReturnAll"/>.</returns>
    public IReadOnlyList<WorkerId> ReturnAll(DateTimeOffset now)
    {
        _request = null;
        _cooldown.Start(now);
        return borrower.ReturnAll(now);
    }

    /// <summary>One balancing round.</summary>
    public void Balance(DateTimeOffset now)
    {
        if (core.Stopping)
        {
            return;
        }

        if (_cooldown.IsActive(now))
        {
            // Workers that were on their way when the hold began, and those whose owner did not acknowledge their release.
            borrower.ReleaseAll(now);
            return;
        }

        if (_request is { } current && now - current.SentAt > 2 * core.Settings.Timing.ReplyTimeout)
        {
            _request = null;
        }

        var view = new BalanceInput(
            core.Tasks.Depth,
            now - core.Tasks.BelowMinThresholdSince,
            TasksForBorrowed(),
            core.Loans.All.Count(loan => loan.State is LoanState.Expected or LoanState.Arrived),
            [.. core.Peers.All.Select(peer => new PeerSnapshot(peer.Id, peer.Alive && peer.NextRequestAt <= now, peer.Load))]);
        switch (Balancer.Decide(view, core.Settings.Balancing))
        {
            case BalanceDecision.NoChange:
                break;
            case BalanceDecision.Borrow borrow when _request is null:
                _request = new BorrowRequest(borrow.Workers, borrow.Peers);
                RequestFromNextPeer(now);
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

            loanWriter.Open(new LoanRecord(worker, LoanRole.Borrower, owner.Id, LoanState.Expected, now, now) { TraceParent = available.TraceParent });
        }

        if (available.Workers.Count > 0 && available.Workers.All(worker => monitor.WasSetAside(worker, now)))
        {
            // It lends only workers that were set aside here, and are given back at once.
            Pause(owner, now);
        }
        else
        {
            owner.Refusals = 0;
        }

        OnPeerAnswered(owner, available.Workers.Count, now);
    }

    public void OnUnavailable(PeerEntry owner, Unavailable unavailable, DateTimeOffset now)
    {
        core.Report(new WorkersRefused(owner.Id, unavailable.TraceParent));
        Pause(owner, now);
        OnPeerAnswered(owner, 0, now);
    }

    public void OnFailed(PeerEntry owner, DateTimeOffset now)
    {
        Pause(owner, now);
        OnPeerAnswered(owner, 0, now);
    }

    private int TasksForBorrowed()
    {
        var (own, borrowed) = (TaskTypes.None, TaskTypes.None);
        foreach (var worker in core.Workers.All)
        {
            if (worker.Home != core.Settings.Id)
            {
                borrowed |= worker.Handles;
            }
            else if (Lender.IsAtHome(worker, core) && !worker.Health.IsSetAside)
            {
                own |= worker.Handles;
            }
        }

        // What a promised worker handles shows when it is here.
        borrowed = core.Loans.InState(LoanState.Expected).Any() ? TaskTypes.All : borrowed;
        return core.Tasks.DepthOf(borrowed & ~own);
    }

    private static void Pause(PeerEntry owner, DateTimeOffset now) => owner.NextRequestAt = now + RefusalPauses.Delay(++owner.Refusals);

    private void OnPeerAnswered(PeerEntry owner, int workers, DateTimeOffset now)
    {
        if (_request is null || _request.CurrentPeer != owner)
        {
            return;
        }

        _request.Needed -= workers;
        RequestFromNextPeer(now);
    }

    private void RequestFromNextPeer(DateTimeOffset now)
    {
        var enough = _request!.Needed <= 0 || core.Stopping || core.Tasks.Depth <= core.Settings.Balancing.MaxQueueThreshold;
        if (enough || _request.NextPeer() is not { } next)
        {
            _request = null;
            return;
        }

        _request.CurrentPeer = core.Peers.Find(next);
        _request.SentAt = now;
        var request = new WorkerRequest(core.Settings.Advertise) { WorkersNeeded = _request.Needed, Server = core.Settings.Id };
        core.Effects.PeerSends.Add(new PeerSendEffect(
            next, request, ExpectsReply: true, ReportOnSend: new WorkersRequested(next, _request.Needed, core.Tasks.Depth)));
    }
}

/// <summary>Borrower: one peer after the other is asked until the need is met.</summary>
internal sealed class BorrowRequest(int needed, IReadOnlyList<ServerId> peers)
{
    private int _next;

    public int Needed { get; set; } = needed;

    public PeerEntry? CurrentPeer { get; set; }

    public DateTimeOffset SentAt { get; set; }

    public ServerId? NextPeer() => _next < peers.Count ? peers[_next++] : null;
}

/// <summary>
/// Keeps a server from borrowing for a while after an operator had it return its workers, so that a queue over the high mark does not fetch them back at once. Kept
/// in memory only.
/// </summary>
internal sealed class BorrowingCooldown(TaskRegistry tasks)
{
    /// <summary>
    /// The hold lasts at least so long, whatever the queue: twice the default of Mesh__Timing__ReplyTimeout, so that workers whose promise was on its way when the
    /// hold began are returned too.
    /// </summary>
    public static readonly TimeSpan MinDuration = TimeSpan.FromSeconds(10);

    /// <summary>The hold lasts at most so long, however long the queue stays over the high mark.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _began;

    /// <summary>Begins a hold; one that is under way begins anew.</summary>
    public void Start(DateTimeOffset now) => _began = now;

    /// <summary>True from <see cref="Start"/> until the queue has been at or below the high mark once, within the limits above.</summary>
    public bool IsActive(DateTimeOffset now)
    {
        if (_began is { } began && now >= began + MinDuration && (now >= began + MaxDuration || !(tasks.AboveMaxThresholdSince <= began)))
        {
            _began = null;
        }

        return _began is not null;
    }
}
