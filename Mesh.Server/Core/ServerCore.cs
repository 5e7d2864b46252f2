using Mesh.Protocol;
using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core;

/// <summary>
/// All that a server decides, without I/O: inputs with their time go in, effects come out, and changes to the store gather in
/// <see cref="Journal"/>. Not thread-safe: one loop, or one simulation, drives it.
/// </summary>
internal sealed class ServerCore
{
    /// <summary>Loans and silent workers are looked after this often while there are any.</summary>
    private static readonly TimeSpan LoanCheckInterval = TimeSpan.FromSeconds(1);

    private readonly CoreState _core;
    private readonly TaskLifecycle _tasks;
    private readonly TaskAdmission _admission;
    private readonly WorkerDispatcher _dispatcher;
    private readonly WorkerMonitor _monitor;
    private readonly Lender _lender;
    private readonly Borrower _borrower;
    private readonly LoanRequester _loanRequester;
    private readonly PeerHeartbeatMonitor _peers;
    private readonly PeerMessageRouter _router;
    private readonly AdoptionCoordinator _adoptions;
    private readonly StoreRecovery _recovery;
    private DateTimeOffset _nextLoanCheck;
    private DateTimeOffset _nextBalance;

    public ServerCore(ServerSettings settings, StoredState stored, DateTimeOffset now, int seed, Effects effects)
    {
        _core = new CoreState(settings, effects, seed);
        var loanWriter = new LoanWriter(_core);
        _monitor = new WorkerMonitor(_core);
        _tasks = new TaskLifecycle(_core, _monitor);
        _admission = new TaskAdmission(_core, _tasks);
        _lender = new Lender(_core, loanWriter);
        _borrower = new Borrower(_core, loanWriter, _monitor);
        _loanRequester = new LoanRequester(_core, loanWriter, _borrower, _monitor);
        _dispatcher = new WorkerDispatcher(_core, _tasks, _monitor, _lender, _borrower);
        _peers = new PeerHeartbeatMonitor(_core);
        _router = new PeerMessageRouter(_core, _peers, _lender, _borrower, _loanRequester);
        _adoptions = new AdoptionCoordinator(_core, _admission);
        _recovery = new StoreRecovery(_core, _admission, _adoptions);
        _nextLoanCheck = _nextBalance = now;

        _admission.Restore(stored, now);
        foreach (var record in stored.Loans)
        {
            // The clock may have been set back since: no step lies in the future, or its time limit would not pass for as long.
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

        _peers.Start(now);
        OnTimer(now);
    }

    /// <summary>Changes to the store that wait to be written.</summary>
    public Journal Journal => _core.Journal;

    /// <summary>When <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextDueTime
    {
        get
        {
            var next = Earliest(_tasks.NextDeadline, Earliest(_dispatcher.NextDeadline, Earliest(_peers.NextDeadline, _adoptions.NextDeadline)));
            next = Earliest(next, _monitor.NextDeadline);
            next = _core.Loans.All.Count > 0 ? Earliest(next, _nextLoanCheck) : next;
            var balancing = _core.Tasks.Depth > _core.Settings.Balancing.MaxQueueThreshold || _core.Loans.All.Count > 0;
            return balancing ? Earliest(next, _nextBalance) : next;
        }
    }

    /// <summary>Tasks that wait for a worker.</summary>
    public int QueueDepth => _core.Tasks.Depth;

    /// <summary>True while an operator has this server take no new tasks.</summary>
    public bool IsPaused => _core.Paused;

    /// <summary>True once a stopping server has no running task and no borrowed worker.</summary>
    public bool IsDrained => _core.Tasks.Running == 0 && _borrower.IsDrained;

    public void OnMessage(SessionId session, Framing framing, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case GetTask poll:
                _dispatcher.OnGetTask(session, framing, poll, now);
                break;
            case TaskStatus status:
                _tasks.OnStatus(session, status, now);
                break;
            case Heartbeat or WorkerRequest or CommandRelease or HeartbeatResponse or Available or Unavailable or ReleaseAck or ReleaseCompleted:
                _router.OnMessage(session, message, now);
                break;
            case NewTask or NoTask or Redirect or Return or Ack:
                _core.Reject(session, message, $"TASK: a server gives {message.GetType().Name}, it does not take it");
                break;
            case Rejection:
                break;
            default:
                throw new InvalidOperationException($"Message {message.GetType().Name} is unknown.");
        }

        ProcessChangedWorkers(now);
    }

    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        Journal.OnSessionClosed(session);
        _dispatcher.OnSessionClosed(session, end, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>A peer's reply on this server's own link.</summary>
    public void OnPeerReply(ServerId id, MeshMessage reply, DateTimeOffset now)
    {
        _router.OnReply(id, reply, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>A message with <see cref="PeerSendEffect.ExpectsReply"/> was not answered: unreachable, timed out, or refused.</summary>
    public void OnPeerFailed(ServerId id, MeshMessage request, string reason, DateTimeOffset now)
    {
        _router.OnFailed(id, request, reason, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>A link found out what a peer speaks.</summary>
    public void OnPeerFraming(ServerId id, Framing framing) => _router.OnFraming(id, framing);

    public void OnSubmit(Submission submission, DateTimeOffset now)
    {
        _admission.OnSubmit(submission, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>A batch is in the store.</summary>
    /// <param name="known">
    /// By <see cref="TaskRecord.ExistingTaskKey"/>: keyed tasks in it that were known already and were not accepted again, each with the task that the store has, and revived tasks that were not dead.
    /// </param>
    public void OnStored(StoreBatch batch, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        _core.StoreUnavailable &= batch.Ops.Count == 0;
        Journal.OnStored();
        foreach (var after in batch.Continuations)
        {
            switch (after.Kind)
            {
                case StoreContinuationKind.Accepted:
                    _admission.OnAccepted(after, known, now);
                    break;
                case StoreContinuationKind.Settled:
                    _tasks.OnSettled(after.Task!);
                    break;
                case StoreContinuationKind.DeadLettered:
                    _tasks.OnDeadLettered(after.Task!);
                    break;
                case StoreContinuationKind.Reply:
                    _core.Send(after.Session, after.Message!);
                    break;
                case StoreContinuationKind.Offered:
                    _lender.OnOffersStored(after);
                    break;
                case StoreContinuationKind.Withdrawn:
                    _core.Effects.SubmissionResults.Add((after.Submission!, SubmitOutcome.Conflict));
                    break;
                default:
                    throw new InvalidOperationException($"After-store kind {after.Kind} is unknown.");
            }
        }

        ProcessChangedWorkers(now);
    }

    /// <summary>A batch may or may not be in the store. One without changes only asked for the state of the store.</summary>
    public void OnStoreFailed(StoreBatch batch, DateTimeOffset now)
    {
        _core.StoreUnavailable |= batch.Ops.Count > 0;
        foreach (var refused in Journal.RequeueFailed(batch))
        {
            _admission.OnRefused(refused);
        }

        ProcessChangedWorkers(now);
    }

    /// <summary>The store has lost the last of what it had acknowledged, and took nothing of a batch; what it holds now counts from here on.</summary>
    public void OnStoreRolledBack(StoreBatch batch, StoredState stored, DateTimeOffset now)
    {
        _core.StoreUnavailable = false;
        foreach (var refused in _core.Journal.RequeueFailed(batch, rejectsDeadLetterRetries: true))
        {
            _admission.OnRefused(refused);
        }

        _recovery.Recover(stored, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>The settings of the store have changed, and with them whether it keeps what it acknowledges.</summary>
    public void OnStoreDurability(bool isDurable) => _core.StoreNotDurable = !isDurable;

    /// <summary>The ledger has closed a task to further attempts.</summary>
    /// <param name="applied">The balance after the task when an attempt had been applied, else null.</param>
    public void OnInvalidated(TaskId task, decimal? applied, DateTimeOffset now)
    {
        _tasks.OnInvalidated(task, applied);
        ProcessChangedWorkers(now);
    }

    public void OnInvalidationFailed(TaskId task, DateTimeOffset now) => _tasks.OnInvalidationFailed(task, now);

    /// <summary>The claim of a dead peer is this server's, and this is what is stored of it.</summary>
    public void OnAdopted(ServerId server, StoredState stored, DateTimeOffset now)
    {
        _adoptions.OnAdopted(server, stored, now);
        ProcessChangedWorkers(now);
    }

    public void OnAdoptionRefused(ServerId server, DateTimeOffset now) => _adoptions.OnRefused(server, now);

    /// <summary>An adopted server is back and waits for its claim, or another has taken it.</summary>
    public void OnAdoptionEnded(ServerId server, DateTimeOffset now)
    {
        _adoptions.OnAdoptionEnded(server, now);
        ProcessChangedWorkers(now);
    }

    public void OnTimer(DateTimeOffset now)
    {
        _monitor.OnTimer(now);
        _tasks.OnTimer(now);
        _dispatcher.OnTimer(now);
        _peers.OnTimer(now);
        _adoptions.OnTimer(now);
        if (_nextBalance <= now)
        {
            _nextBalance = now + _core.Settings.Timing.LoadBalancerInterval;
            _loanRequester.Balance(now);
        }

        if (_nextLoanCheck <= now)
        {
            _nextLoanCheck = now + LoanCheckInterval;
            _lender.OnTimer(now);
        }

        // After the balancing round, so that what it releases is sent at once.
        _borrower.OnTimer(now);
        ProcessChangedWorkers(now);
    }

    /// <summary>No new work; what runs may finish, borrowed workers are returned.</summary>
    public void OnStopping(DateTimeOffset now)
    {
        _core.Stopping = true;
        _borrower.ReleaseAll(now);
        _borrower.OnTimer(now);
        ProcessChangedWorkers(now);
    }

    /// <summary>An operator wants no new tasks taken. Changes nothing when the server is paused already.</summary>
    public PauseStatus OnPause()
    {
        _admission.Pause();
        return PauseStatus;
    }

    /// <summary>An operator wants new tasks taken again. Changes nothing when the server is not paused.</summary>
    public PauseStatus OnResume()
    {
        _admission.Resume();
        return PauseStatus;
    }

    /// <summary>An operator wants all borrowed workers returned at once, and none borrowed for a while.</summary>
    public LoanReturn OnReturnLoans(DateTimeOffset now)
    {
        if (_core.StoreUnavailable)
        {
            return LoanReturn.StoreUnavailable.Instance;
        }

        _core.Report(new LoansReturnRequested());
        var workers = _loanRequester.ReturnAll(now);
        ProcessChangedWorkers(now);
        return new LoanReturn.Started(workers);
    }

    /// <summary>An unsettled task by the client's id, or null.</summary>
    public TaskRecord? FindTask(string id) =>
        (_core.Tasks.Find(id, storedBy: null) ?? _core.Adoptions.Keys.Select(server => _core.Tasks.Find(id, server)).FirstOrDefault(task => task is not null))?.ToRecord();

    /// <summary>Unsettled tasks of adopted servers, by the ids of keyed tasks among these.</summary>
    public Dictionary<string, TaskRecord> FindAdopted(IReadOnlyList<TaskRecord> tasks)
    {
        var found = new Dictionary<string, TaskRecord>();
        foreach (var task in tasks)
        {
            if (task.Keyed && _admission.FindAdopted(task.Id) is { } adopted)
            {
                found[task.Id] = adopted.Record;
            }
        }

        return found;
    }

    public IEnumerable<TaskRecord> ListTasks(TaskState state, int limit) =>
        _core.Tasks.All.Select(task => task.ToRecord()).Where(task => task.State == state).OrderBy(task => task.Sequence).Take(limit);

    public ServerStatus GetStatus() => StatusBuilder.Of(_core);

    /// <summary>The framing that a peer is known to use, or null: for tests.</summary>
    public Framing? FramingOf(ServerId peer) => _core.Peers.Find(peer)?.Framing;

    /// <summary>A worker at the door, or null: for who checks the core.</summary>
    public WorkerEntry? FindWorker(WorkerId id) => _core.Workers.Find(id);

    /// <summary>Whether a running task becomes a dead letter if its attempt fails now: for who checks the core.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _tasks.IsLastAttempt(task, now);

    /// <summary>How much the core holds in memory.</summary>
    public CoreFootprint Footprint => new(
        _core.Tasks.Count,
        _core.Tasks.QueueEntries,
        _tasks.InvalidationRetries,
        _core.Workers.All.Count,
        _core.Workers.All.Sum(worker => worker.PendingPolls.Count),
        _core.Workers.Sessions,
        _core.Deliveries.Sessions,
        _core.Loans.All.Count,
        _borrower.ReleaseRequests,
        _lender.Batches);

    private PauseStatus PauseStatus => new(_core.Paused, _core.Tasks.Depth, _core.Tasks.Running);

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset? Earliest(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;

    /// <summary>A changed loan may free a worker's held get_tasks, and answering them may change a loan.</summary>
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
    }
}
