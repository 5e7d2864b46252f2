using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using Mesh.Transport;

namespace Mesh.Server.Core.Loans;

/// <summary>Handles the borrower's side of a loan until the owner answers: balancing rounds and WORKER_REQUEST (docs/protocol.md, "A loan, step by step").</summary>
internal sealed class LoanRequester(CoreState core, LoanWriter loanWriter, Borrower borrower, WorkerMonitor monitor)
{
    /// <summary>The pauses after one or more refusals of a peer in a row.</summary>
    public static readonly Backoff RefusalPauses = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(16));

    private readonly BorrowingCooldown _cooldown = new(core.Tasks);
    private readonly BacklogMonitor _backlog = new(core);
    private BorrowRequest? _request;

    /// <summary>True while a request waits for the answer of a peer. Rounds then request no workers.</summary>
    public bool IsRequesting => _request is not null;

    /// <summary>True when tasks wait whose type no worker here handles, at the last round.</summary>
    public bool HasUnservedTypes => _backlog.HasUnservedTypes;

    /// <summary>The time at which a peer last promised workers, or null.</summary>
    public DateTimeOffset? LastPromise { get; private set; }

    /// <summary>Handles an operator's command to return all borrowed workers. No workers are requested during the <see cref="BorrowingCooldown"/> that follows.</summary>
    /// <returns>The workers that are being returned, as in <see cref="Borrower.ReturnAll"/>.</returns>
    public IReadOnlyList<WorkerId> ReturnAll(DateTimeOffset now)
    {
        _request = null;
        _cooldown.Start(now);
        return borrower.ReturnAll(now);
    }

    /// <summary>Runs one balancing round: requests workers, releases the borrowed ones, or does nothing. A stopping server does nothing.</summary>
    public void Balance(DateTimeOffset now)
    {
        if (core.Stopping)
        {
            return;
        }

        if (_cooldown.IsActive(now))
        {
            // Workers may have arrived since the cooldown began, and owners may not have acknowledged the release of others.
            borrower.ReleaseAll(now);
            return;
        }

        if (_request is { } current && now - current.SentAt > 2 * core.Settings.Timing.ReplyTimeout)
        {
            _request = null;
        }

        if (core.Tasks.Depth == 0 && core.Loans.All.Count == 0)
        {
            _backlog.Clear();
            return;
        }

        var decision = Balancer.Decide(_backlog.Observe(now), core.Settings.Balancing);
        if (decision.Releases.Count > 0)
        {
            borrower.Release(decision.Releases, now);
            _backlog.RestartSurplus(now);
        }

        if (decision.Borrow is { } borrow && _request is null)
        {
            _request = new BorrowRequest(borrow);
            RequestFromNextPeer(now);
        }
    }

    /// <summary>The time after a round at which the next of the conditions that it saw has lasted for <see cref="BalancingOptions.ReleaseAfter"/>, or null.</summary>
    public DateTimeOffset? FindNextCondition(DateTimeOffset round) => _backlog.FindNextCondition(round);

    /// <summary>Handles AVAILABLE: opens a loan for each worker that it names, and asks the next peer when more workers are needed.</summary>
    public void OnAvailable(PeerEntry owner, Available available, DateTimeOffset now)
    {
        var requested = _request is { } request && request.CurrentPeer == owner ? request.Types : null;
        foreach (var worker in available.Workers)
        {
            // The owner may name a worker that already has a loan here, or one whose home is this server.
            if (core.Loans.Find(worker) is not (null or { State: LoanState.Returned }) || core.Workers.Find(worker)?.Home == core.Settings.Id)
            {
                continue;
            }

            loanWriter.Open(
                new LoanRecord(worker, LoanRole.Borrower, owner.Id, LoanState.Expected, now, now) { TraceParent = available.TraceParent }, requested: requested);
        }

        LastPromise = available.Workers.Count > 0 ? now : LastPromise;
        if (available.Workers.Count > 0 && available.Workers.All(worker => monitor.WasSetAside(worker, now)))
        {
            // All these workers were set aside here and are returned immediately. The pause keeps the server from borrowing them again at once.
            owner.PauseRequests(now + RefusalPauses.Delay(++owner.Refusals));
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

    /// <summary>Handles a WORKER_REQUEST that was not answered, or whose answer was not valid. It counts as a refusal.</summary>
    public void OnFailed(PeerEntry owner, DateTimeOffset now)
    {
        Pause(owner, now);
        OnPeerAnswered(owner, 0, now);
    }

    /// <summary>Treats a WORKER_REQUEST to this peer as failed, if there is one.</summary>
    public void OnLinkReplaced(PeerEntry peer, DateTimeOffset now)
    {
        if (IsWaitingFor(peer))
        {
            OnFailed(peer, now);
        }
    }

    /// <summary>True while a WORKER_REQUEST to this peer is not answered.</summary>
    public bool IsWaitingFor(PeerEntry peer) => _request?.CurrentPeer == peer;

    private static void Pause(PeerEntry owner, DateTimeOffset now) => owner.PauseAfterRefusal(now + RefusalPauses.Delay(++owner.Refusals));

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
        if (IsEnough(_request!) || NextPeer(_request!, now) is not { } next)
        {
            _request = null;
            return;
        }

        _request!.CurrentPeer = next;
        _request.SentAt = now;
        var request = new WorkerRequest(core.Settings.Advertise) { WorkersNeeded = _request.Needed, Server = core.Settings.Id, Tasks = _request.Types };
        core.Effects.PeerSends.Add(new PeerSendEffect(
            next.Id, request, ExpectsReply: true, ReportOnSend: new WorkersRequested(next.Id, _request.Needed, core.Tasks.Depth, _request.Types)));
    }

    private bool IsEnough(BorrowRequest request) => request.Needed <= 0 || core.Stopping || (request.ForUnserved
        ? !core.Tasks.Queues.Any(queue => request.Types.Contains(queue.Type))
        : core.Tasks.Depth <= core.Settings.Balancing.MaxQueueThreshold);

    /// <summary>The next peer to ask. A peer whose pause began after the balancing round is skipped.</summary>
    private PeerEntry? NextPeer(BorrowRequest request, DateTimeOffset now)
    {
        while (request.NextPeer() is { } id)
        {
            if (core.Peers.Find(id) is { IsLeaving: false } peer && peer.NextRequestAt <= now)
            {
                return peer;
            }
        }

        return null;
    }
}

/// <summary>Borrower: the state of a request for workers. Peers are asked one after another until enough workers are promised.</summary>
internal sealed class BorrowRequest(BorrowDecision decision)
{
    private int _next;

    public int Needed { get; set; } = decision.Workers;

    public TaskTypeSet Types => decision.Types;

    public bool ForUnserved => decision.ForUnserved;

    public PeerEntry? CurrentPeer { get; set; }

    public DateTimeOffset SentAt { get; set; }

    public ServerId? NextPeer() => _next < decision.Peers.Count ? decision.Peers[_next++] : null;
}

/// <summary>
/// Prevents borrowing for a time after an operator's command to return all borrowed workers. Without it, a queue above the high mark would cause the same
/// workers to be borrowed again immediately. The state is kept in memory only.
/// </summary>
internal sealed class BorrowingCooldown(TaskRegistry tasks)
{
    /// <summary>
    /// The minimum duration of the cooldown. It is twice the default of Mesh__Timing__ReplyTimeout, so that workers that were promised just before the cooldown
    /// began are returned too.
    /// </summary>
    public static readonly TimeSpan MinDuration = TimeSpan.FromSeconds(10);

    /// <summary>The maximum duration of the cooldown, also when the queue stays above the high mark.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _began;

    /// <summary>Starts the cooldown, or restarts it when it is active.</summary>
    public void Start(DateTimeOffset now) => _began = now;

    /// <summary>
    /// True from <see cref="Start"/> until the queue has been at or below the high mark once, but not for less than <see cref="MinDuration"/> and not for more
    /// than <see cref="MaxDuration"/>.
    /// </summary>
    public bool IsActive(DateTimeOffset now)
    {
        if (_began is { } began && now >= began + MinDuration && (now >= began + MaxDuration || !(tasks.AboveMaxThresholdSince <= began)))
        {
            _began = null;
        }

        return _began is not null;
    }
}
