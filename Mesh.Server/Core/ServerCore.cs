using Mesh.Protocol;
using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core;

/// <summary>
/// Makes all decisions of a server, without I/O. Each method takes an input and its time, adds the resulting <see cref="Effects"/>, and adds changes to the store to
/// <see cref="Journal"/>. Not thread-safe: one loop or one simulation calls it.
/// </summary>
internal sealed partial class ServerCore
{
    /// <summary>The time between two checks of the time limits of loans.</summary>
    private static readonly TimeSpan LoanCheckInterval = TimeSpan.FromSeconds(1);

    private readonly CoreState _core;
    private readonly TaskLifecycle _tasks;
    private readonly FollowUps _followUps;
    private readonly TaskStatusHandler _statuses;
    private readonly TaskAdmission _admission;
    private readonly TaskCanceller _canceller;
    private readonly WorkerDispatcher _dispatcher;
    private readonly WorkerMonitor _monitor;
    private readonly WorkerRemover _remover;
    private readonly Lender _lender;
    private readonly Borrower _borrower;
    private readonly LoanRequester _loanRequester;
    private readonly BalancingSchedule _balancing;
    private readonly PeerHeartbeatMonitor _peers;
    private readonly PeerMessageRouter _router;
    private readonly PeerMembership _membership;
    private readonly ScheduleCoordinator _schedules;
    private readonly AdoptionCoordinator _adoptions;
    private readonly StoreRecovery _recovery;
    private DateTimeOffset _nextLoanCheck;

    /// <summary>Creates the core and restores the stored tasks and loans.</summary>
    /// <param name="seed">The seed of the random delays.</param>
    public ServerCore(ServerSettings settings, StoredState stored, DateTimeOffset now, int seed, Effects effects)
    {
        _core = new CoreState(settings, effects, seed);
        var loanWriter = new LoanWriter(_core);
        _monitor = new WorkerMonitor(_core);
        _followUps = new FollowUps(_core);
        _tasks = new TaskLifecycle(_core, _monitor, _followUps);
        _statuses = new TaskStatusHandler(_core, _tasks, _monitor, _followUps);
        _admission = new TaskAdmission(_core, _tasks);
        _canceller = new TaskCanceller(_core, _tasks, _admission);
        _remover = new WorkerRemover(_core, _tasks, _monitor);
        _lender = new Lender(_core, loanWriter);
        _borrower = new Borrower(_core, loanWriter, _monitor);
        _loanRequester = new LoanRequester(_core, loanWriter, _borrower, _monitor);
        _balancing = new BalancingSchedule(_core, _loanRequester, now);
        _dispatcher = new WorkerDispatcher(_core, _tasks, _monitor, _remover, _lender, _borrower);
        _peers = new PeerHeartbeatMonitor(_core);
        _router = new PeerMessageRouter(_core, _peers, _lender, _borrower, _loanRequester);
        _schedules = new ScheduleCoordinator(_core, _tasks);
        _adoptions = new AdoptionCoordinator(_core, _admission, _schedules);
        _membership = new PeerMembership(_core, _peers, _lender, _borrower, _loanRequester, _router, _adoptions);
        _recovery = new StoreRecovery(_core, _admission, _schedules, _adoptions);
        _nextLoanCheck = now;

        _admission.Restore(stored, now);
        _schedules.Restore(stored.Schedules, now);
        foreach (var record in stored.Loans)
        {
            // If the clock was set back, a stored time may be in the future. Without the correction the time limits of the loan would end too late.
            var loan = record with { Since = Earlier(record.Since, now), Started = Earlier(record.Started, now) };
            switch (loan.Role)
            {
                case LoanRole.Owner:
                    _lender.Restore(loan, now);
                    break;
                case LoanRole.Borrower:
                    _borrower.Restore(loan, now);
                    break;
                default:
                    throw new InvalidOperationException($"Loan role {loan.Role} is unknown.");
            }
        }

        _membership.Start(settings.Peers, now);
        OnTimer(now);
    }

    /// <summary>The changes to the store that wait to be written.</summary>
    public Journal Journal => _core.Journal;

    /// <summary>The time when <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextDueTime
    {
        get
        {
            var next = Earliest(_tasks.NextDeadline, Earliest(_core.Workers.Polls.NextDeadline, _remover.NextDeadline));
            next = Earliest(next, Earliest(_peers.NextDeadline, Earliest(_adoptions.NextDeadline, _monitor.NextDeadline)));
            next = Earliest(next, _schedules.NextDeadline);
            next = _core.Loans.All.Count > 0 ? Earliest(next, _nextLoanCheck) : next;
            return Earliest(next, _balancing.NextRound);
        }
    }

    /// <summary>Handles a message that a worker or peer sent on a session of this server. An unexpected message is refused.</summary>
    public void OnMessage(SessionId session, Framing framing, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case GetTask poll:
                _dispatcher.OnGetTask(session, framing, poll, now);
                break;
            case TaskStatus status:
                _statuses.OnStatus(session, framing, status, now);
                break;
            case Heartbeat or WorkerRequest or CommandRelease or HeartbeatResponse or Available or Unavailable or ReleaseAck or ReleaseCompleted:
                _router.OnMessage(session, message, now);
                break;
            case NewTask or NoTask or Redirect or Return or Ack:
                _core.Reject(session, message, $"TASK: a server sends {message.GetType().Name} and does not receive it");
                break;
            case Rejection:
                break;
            default:
                throw new InvalidOperationException($"Message {message.GetType().Name} is unknown.");
        }

        ProcessChangedWorkers(now);
    }

    /// <summary>Handles the end of a session.</summary>
    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        Journal.OnSessionClosed(session);
        _remover.OnSessionClosed(session, end, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Handles the reply of a peer to a message that this server sent over its link.</summary>
    public void OnPeerReply(ServerId id, MeshMessage reply, DateTimeOffset now)
    {
        _router.OnReply(id, reply, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Handles a failed exchange: the peer is unreachable, did not reply in time, or refused a message with <see cref="PeerSendEffect.ExpectsReply"/>.</summary>
    public void OnPeerFailed(ServerId id, MeshMessage request, string reason, DateTimeOffset now)
    {
        _router.OnFailed(id, request, reason, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Records the framing of a peer. Called when a link has detected it.</summary>
    public void OnPeerFraming(ServerId id, Framing framing) => _router.OnFraming(id, framing);

    /// <summary>True for the current link to a peer. What other links report is to be ignored.</summary>
    public bool IsCurrentLink(ServerId peer, PeerLinkId link) => _core.Peers.Find(peer)?.Link == link;

    /// <summary>Replaces the set of peers. Servers that are no longer peers are forgotten when their loans have ended (docs/protocol.md, "Peers that come and go").</summary>
    /// <param name="peers">All peers, each id once, without this server.</param>
    public void OnPeersChanged(IReadOnlyList<PeerSettings> peers, DateTimeOffset now)
    {
        _membership.Replace(peers, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Handles a request to cancel a task. Its outcome is added to <see cref="Effects.CancelResults"/>, at once or when the change is stored.</summary>
    public void OnCancel(CancelRequest request, DateTimeOffset now)
    {
        _canceller.OnCancel(request, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Handles a submission. Its outcome is added to <see cref="Effects.SubmissionResults"/>, at once or when its tasks are stored.</summary>
    public void OnSubmit(Submission submission, DateTimeOffset now)
    {
        if (submission.IsDeadLetterDeletion)
        {
            DeadLetterDeletion.Add(_core, submission);
            return;
        }

        if (submission.Schedule is null)
        {
            _admission.OnSubmit(submission, now);
        }
        else
        {
            _schedules.OnChange(submission, now);
        }

        ProcessChangedWorkers(now);
    }

    /// <summary>Does everything that is due. Called at <see cref="NextDueTime"/> or later.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        _monitor.OnTimer(now);
        _tasks.OnTimer(now);
        _dispatcher.OnTimer(now);
        _remover.OnTimer(now);
        _peers.OnTimer(now);
        _adoptions.OnTimer(now);
        _schedules.OnTimer(now);
        if (_balancing.NextRound <= now)
        {
            _balancing.Run(now);
        }

        if (_nextLoanCheck <= now)
        {
            _nextLoanCheck = now + LoanCheckInterval;
            _lender.OnTimer(now);
            _borrower.CheckLoans(now);
        }

        // The borrower comes after the balancing round, so that the releases of the round are sent at once.
        _borrower.OnTimer(now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Stops accepting and dispatching tasks, and releases all borrowed workers. Running tasks may finish.</summary>
    public void OnStopping(DateTimeOffset now)
    {
        _core.Stopping = true;
        _borrower.ReleaseAll(now);
        _borrower.OnTimer(now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Stops accepting tasks on request of an operator. Does nothing when the server is paused.</summary>
    public PauseStatus OnPause()
    {
        _admission.Pause();
        return PauseStatus.Of(_core);
    }

    /// <summary>Accepts tasks again on request of an operator. Does nothing when the server is not paused.</summary>
    public PauseStatus OnResume()
    {
        _admission.Resume();
        return PauseStatus.Of(_core);
    }

    /// <summary>Releases all borrowed workers on request of an operator, and borrows none for a while.</summary>
    /// <returns>The released workers, or null when the store is unavailable and nothing was changed.</returns>
    public IReadOnlyList<WorkerId>? OnReturnLoans(DateTimeOffset now)
    {
        if (_core.StoreUnavailable)
        {
            return null;
        }

        _core.Report(new LoansReturnRequested());
        var workers = _loanRequester.ReturnAll(now);
        ProcessChangedWorkers(now);
        return workers;
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset? Earliest(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;

    /// <summary>Answers the pending polls of workers whose loan changed or whose pause ended, and forgets former peers without loans. An answer may change the loan of another worker, which the loops then include.</summary>
    private void ProcessChangedWorkers(DateTimeOffset now)
    {
        for (var i = 0; i < _core.WorkersWithChangedLoans.Count; i++)
        {
            if (_core.Workers.Find(_core.WorkersWithChangedLoans[i]) is { } worker)
            {
                _dispatcher.OnLoanChanged(worker, now);
            }
        }

        _core.WorkersWithChangedLoans.Clear();
        for (var i = 0; i < _core.UnpausedWorkers.Count; i++)
        {
            if (_core.Workers.Find(_core.UnpausedWorkers[i]) is { } worker)
            {
                _dispatcher.OnUnpaused(worker, now);
            }
        }

        _core.UnpausedWorkers.Clear();
        _membership.RemoveUnused(now);
    }
}
