using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core;

/// <summary>
/// All that a server decides, without I/O: inputs with their time go in, effects come out, and changes to the store gather in
/// <see cref="Journal"/>. Not thread-safe: one loop, or one simulation, drives it.
/// </summary>
internal sealed class ServerCore
{
    /// <summary>Loans and silent workers are looked after this often while there are any.</summary>
    private static readonly TimeSpan CareInterval = TimeSpan.FromSeconds(1);

    private readonly CoreState _core;
    private readonly TaskFlow _tasks;
    private readonly TaskIntake _intake;
    private readonly WorkerDesk _desk;
    private readonly WorkerMonitor _monitor;
    private readonly Lender _lender;
    private readonly Borrower _borrower;
    private readonly Requester _requester;
    private readonly PeerWatch _peers;
    private readonly PeerTalk _talk;
    private readonly Adopter _adopter;
    private readonly StoreRecovery _recovery;
    private DateTimeOffset _nextCare;
    private DateTimeOffset _nextBalance;

    public ServerCore(ServerSettings settings, StoredState stored, DateTimeOffset now, int seed, Effects effects)
    {
        _core = new CoreState(settings, effects, seed);
        var keeper = new LoanKeeper(_core);
        _monitor = new WorkerMonitor(_core);
        _tasks = new TaskFlow(_core, _monitor);
        _intake = new TaskIntake(_core, _tasks);
        _lender = new Lender(_core, keeper);
        _borrower = new Borrower(_core, keeper, _monitor);
        _requester = new Requester(_core, keeper, _borrower, _monitor);
        _desk = new WorkerDesk(_core, _tasks, _monitor, _lender, _borrower);
        _peers = new PeerWatch(_core);
        _talk = new PeerTalk(_core, _peers, _lender, _borrower, _requester);
        _adopter = new Adopter(_core, _intake);
        _recovery = new StoreRecovery(_core, _intake, _adopter);
        _nextCare = _nextBalance = now;

        _intake.Restore(stored, now);
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
    public DateTimeOffset? NextWake
    {
        get
        {
            var next = Earliest(_tasks.NextDeadline, Earliest(_desk.NextDeadline, Earliest(_peers.NextDeadline, _adopter.NextDeadline)));
            next = Earliest(next, _monitor.NextDeadline);
            next = _core.Loans.All.Count > 0 ? Earliest(next, _nextCare) : next;
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
            case GetTask ask:
                _desk.OnGetTask(session, framing, ask, now);
                break;
            case TaskStatus status:
                _tasks.OnStatus(session, status, now);
                break;
            case Heartbeat or WorkerRequest or CommandRelease or HeartbeatResponse or Available or Unavailable or ReleaseAck or ReleaseCompleted:
                _talk.OnMessage(session, message, now);
                break;
            case NewTask or NoTask or Redirect or Return or Ack:
                _core.Refuse(session, message, $"TASK: a server gives {message.GetType().Name}, it does not take it");
                break;
            case Rejection:
                break;
            default:
                throw new InvalidOperationException($"Message {message.GetType().Name} is unknown.");
        }

        Finish(now);
    }

    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        Journal.OnSessionClosed(session);
        _desk.OnSessionClosed(session, end, now);
        Finish(now);
    }

    /// <summary>A peer's reply on this server's own link.</summary>
    public void OnPeerReply(ServerId id, MeshMessage reply, DateTimeOffset now)
    {
        _talk.OnReply(id, reply, now);
        Finish(now);
    }

    /// <summary>A message with <see cref="PeerSendEffect.ExpectsReply"/> was not answered: unreachable, timed out, or refused.</summary>
    public void OnPeerFailed(ServerId id, MeshMessage request, string reason, DateTimeOffset now)
    {
        _talk.OnFailed(id, request, reason, now);
        Finish(now);
    }

    /// <summary>A link found out what a peer speaks.</summary>
    public void OnPeerFraming(ServerId id, Framing framing) => _talk.OnFraming(id, framing);

    public void OnSubmit(Submission submission, DateTimeOffset now)
    {
        _intake.OnSubmit(submission, now);
        Finish(now);
    }

    /// <summary>A batch is in the store.</summary>
    /// <param name="known">
    /// By <see cref="TaskRecord.KnownAs"/>: keyed tasks in it that were known already and were not accepted again, each with the task that the store has, and revived tasks that were not dead.
    /// </param>
    public void OnStored(StoreBatch batch, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        _core.StoreAway &= batch.Ops.Count == 0;
        Journal.OnStored();
        foreach (var after in batch.Then)
        {
            switch (after.Kind)
            {
                case AfterStoreKind.Accepted:
                    _intake.OnAccepted(after, known, now);
                    break;
                case AfterStoreKind.Settled:
                    _tasks.OnSettled(after.Task!);
                    break;
                case AfterStoreKind.Buried:
                    _tasks.OnBuried(after.Task!);
                    break;
                case AfterStoreKind.Reply:
                    _core.Send(after.Session, after.Message!);
                    break;
                case AfterStoreKind.Offered:
                    _lender.OnOffered(after);
                    break;
                case AfterStoreKind.Withdrawn:
                    _core.Effects.Answers.Add((after.Submission!, SubmitOutcome.Conflict));
                    break;
                default:
                    throw new InvalidOperationException($"After-store kind {after.Kind} is unknown.");
            }
        }

        Finish(now);
    }

    /// <summary>A batch may or may not be in the store. One without changes only asked for the state of the store.</summary>
    public void OnStoreFailed(StoreBatch batch, DateTimeOffset now)
    {
        _core.StoreAway |= batch.Ops.Count > 0;
        foreach (var refused in Journal.PutBack(batch))
        {
            _intake.OnRefused(refused);
        }

        Finish(now);
    }

    /// <summary>The store has lost the last of what it had acknowledged, and took nothing of a batch; what it holds now counts from here on.</summary>
    public void OnStoreWentBack(StoreBatch batch, StoredState stored, DateTimeOffset now)
    {
        _core.StoreAway = false;
        foreach (var refused in _core.Journal.PutBack(batch, refusesRevivals: true))
        {
            _intake.OnRefused(refused);
        }

        _recovery.Recover(stored, now);
        Finish(now);
    }

    /// <summary>The settings of the store have changed, and with them whether it keeps what it acknowledges.</summary>
    public void OnStoreDurability(bool isDurable) => _core.StoreUnsafe = !isDurable;

    /// <summary>The ledger has closed a task to further attempts.</summary>
    /// <param name="applied">The balance after the task when an attempt had been applied, else null.</param>
    public void OnVoided(TaskId task, decimal? applied, DateTimeOffset now)
    {
        _tasks.OnVoided(task, applied);
        Finish(now);
    }

    public void OnVoidFailed(TaskId task, DateTimeOffset now) => _tasks.OnVoidFailed(task, now);

    /// <summary>The claim of a dead peer is this server's, and this is what is stored of it.</summary>
    public void OnAdopted(ServerId server, StoredState stored, DateTimeOffset now)
    {
        _adopter.OnAdopted(server, stored, now);
        Finish(now);
    }

    public void OnAdoptionRefused(ServerId server, DateTimeOffset now) => _adopter.OnRefused(server, now);

    /// <summary>An adopted server is back and waits for its claim, or another has taken it.</summary>
    public void OnDisowned(ServerId server, DateTimeOffset now)
    {
        _adopter.OnDisowned(server, now);
        Finish(now);
    }

    public void OnTimer(DateTimeOffset now)
    {
        _monitor.OnTimer(now);
        _tasks.OnTimer(now);
        _desk.OnTimer(now);
        _peers.OnTimer(now);
        _adopter.OnTimer(now);
        if (_nextBalance <= now)
        {
            _nextBalance = now + _core.Settings.Balancing.Interval;
            _requester.Balance(now);
        }

        if (_nextCare <= now)
        {
            _nextCare = now + CareInterval;
            _lender.OnTimer(now);
        }

        // After the balancing round, so that what it releases is sent at once.
        _borrower.OnTimer(now);
        Finish(now);
    }

    /// <summary>No new work; what runs may finish, borrowed workers are returned.</summary>
    public void OnStopping(DateTimeOffset now)
    {
        _core.Stopping = true;
        _borrower.ReleaseAll(now);
        _borrower.OnTimer(now);
        Finish(now);
    }

    /// <summary>An operator wants no new tasks taken. Changes nothing when the server is paused already.</summary>
    public PauseStatus OnPause()
    {
        _intake.Pause();
        return PauseStatus;
    }

    /// <summary>An operator wants new tasks taken again. Changes nothing when the server is not paused.</summary>
    public PauseStatus OnResume()
    {
        _intake.Resume();
        return PauseStatus;
    }

    /// <summary>An operator wants all borrowed workers returned at once, and none borrowed for a while.</summary>
    public LoanReturn OnReturnLoans(DateTimeOffset now)
    {
        if (_core.StoreAway)
        {
            return LoanReturn.StorageAway.Instance;
        }

        _core.Tell(new ReturnOrdered());
        var workers = _requester.ReturnAll(now);
        Finish(now);
        return new LoanReturn.Begun(workers);
    }

    /// <summary>An unsettled task by the client's id, or null.</summary>
    public TaskRecord? FindTask(string id) =>
        (_core.Tasks.Find(id, keeper: null) ?? _core.Adoptions.Keys.Select(server => _core.Tasks.Find(id, server)).FirstOrDefault(task => task is not null))?.ToRecord();

    /// <summary>Unsettled tasks of adopted servers, by the ids of keyed tasks among these.</summary>
    public Dictionary<string, TaskRecord> FindAdopted(IReadOnlyList<TaskRecord> tasks)
    {
        var found = new Dictionary<string, TaskRecord>();
        foreach (var task in tasks)
        {
            if (task.Keyed && _intake.FindAdopted(task.Id) is { } adopted)
            {
                found[task.Id] = adopted.Record;
            }
        }

        return found;
    }

    public IEnumerable<TaskRecord> ListTasks(TaskState state, int limit) =>
        _core.Tasks.All.Select(task => task.ToRecord()).Where(task => task.State == state).OrderBy(task => task.Sequence).Take(limit);

    public ServerStatus GetStatus() => StatusView.Of(_core);

    /// <summary>A worker at the door, or null: for who checks the core.</summary>
    public WorkerEntry? FindWorker(WorkerId id) => _core.Workers.Find(id);

    /// <summary>Whether a running task becomes a dead letter if its attempt fails now: for who checks the core.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _tasks.IsLastAttempt(task, now);

    /// <summary>How much the core holds in memory.</summary>
    public CoreFootprint Footprint => new(
        _core.Tasks.Count,
        _core.Tasks.QueuePlaces,
        _tasks.VoidRetries,
        _core.Workers.All.Count,
        _core.Workers.All.Sum(worker => worker.Asks.Count),
        _core.Workers.Sessions,
        _core.Deliveries.Sessions,
        _core.Loans.All.Count,
        _borrower.Runs,
        _lender.Batches);

    private PauseStatus PauseStatus => new(_core.Paused, _core.Tasks.Depth, _core.Tasks.Running);

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset? Earliest(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;

    /// <summary>A changed loan may free a worker's held get_tasks, and answering them may change a loan.</summary>
    private void Finish(DateTimeOffset now)
    {
        for (var i = 0; i < _core.Reconsider.Count; i++)
        {
            if (_core.Workers.Find(_core.Reconsider[i]) is { } worker)
            {
                _desk.Reconsider(worker, now);
            }
        }

        _core.Reconsider.Clear();
        for (var i = 0; i < _core.Resumed.Count; i++)
        {
            if (_core.Workers.Find(_core.Resumed[i]) is { } worker)
            {
                _desk.Resume(worker, now);
            }
        }

        _core.Resumed.Clear();
    }
}
