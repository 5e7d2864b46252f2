using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core;

/// <summary>Drives one <see cref="ServerCore"/>: passes inputs to it, stores its journal unless <see cref="HoldStore"/> is set, and collects its effects.</summary>
internal sealed class CoreHarness
{
    public static readonly ServerId Self = new("server-a");
    public static readonly ServerId Peer = new("server-b");
    public static readonly MeshEndpoint SelfEndpoint = new("10.0.0.1", 9001);
    public static readonly MeshEndpoint PeerEndpoint = new("10.0.0.2", 9002);

    private readonly Effects _effects = new();
    private readonly Dictionary<string, TaskRecord?> _known = [];
    private long _nextSession;
    private long _dead;
    private StoreBatch? _held;

    public CoreHarness(Func<ServerSettings, ServerSettings>? configure = null, StoredState? stored = null)
    {
        var settings = new ServerSettings
        {
            Id = Self,
            Advertise = SelfEndpoint,
            Peers = [new PeerSettings(Peer, PeerEndpoint), new PeerSettings(new ServerId("SERVER_3"), new MeshEndpoint("127.0.0.1", 9003))],
            Timing = new TimingOptions { HeartbeatJitter = 0 },
        };
        _dead = stored?.Dead ?? 0;
        Core = new ServerCore(configure?.Invoke(settings) ?? settings, stored ?? StoredState.Empty, Now, seed: 1, _effects);
        Drain();
    }

    public ServerCore Core { get; }

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<SendEffect> Sent { get; } = [];

    public List<PeerSendEffect> ToPeers { get; } = [];

    /// <summary>The links to peers that the core has opened (true) and closed.</summary>
    public List<(ServerId Peer, bool IsOpened)> Links { get; } = [];

    public List<TaskRecord> Invalidations { get; } = [];

    public List<SubmitOutcome> Answers { get; } = [];

    /// <summary>The outcomes of requests to cancel.</summary>
    public List<CancelOutcome> Cancels { get; } = [];

    public List<TaskEnd> Ends { get; } = [];

    public List<MeshEvent> Events { get; } = [];

    /// <summary>Dead peers whose claims the core has requested.</summary>
    public List<ServerId> Adoptions { get; } = [];

    /// <summary>Adopted servers that the core has released.</summary>
    public List<ServerId> Releases { get; } = [];

    public List<StoreOp> Stored { get; } = [];

    /// <summary>True keeps batches from being stored until <see cref="Store"/> or <see cref="FailStore"/>.</summary>
    public bool HoldStore { get; set; }

    /// <summary>The number of changes and follow-up actions in the held batch, and of the changes in the journal.</summary>
    public int Held => (_held is null ? 0 : _held.Ops.Count + _held.Continuations.Count) + Core.Journal.Count;

    public SessionId NewSession() => new(++_nextSession);

    public SessionId Ask(string worker, SessionId? session = null, Framing framing = Framing.WebSocket, string? home = null, TaskTypeSet? tasks = null, bool sendsTypes = true)
    {
        var on = session ?? NewSession();
        Say(on, new GetTask(new WorkerId(worker), home is null ? null : new ServerId(home)) { Tasks = sendsTypes ? tasks ?? AccountTypes.All : null }, framing);
        return on;
    }

    public void Say(SessionId session, MeshMessage message, Framing framing = Framing.WebSocket)
    {
        Core.OnMessage(session, framing, message, Now);
        Drain();
    }

    public SessionId Say(MeshMessage message)
    {
        var session = NewSession();
        Say(session, message, Framing.Line);
        return session;
    }

    public void Close(SessionId session, SessionEnd end = SessionEnd.Closed)
    {
        Core.OnSessionClosed(session, end, Now);
        Drain();
    }

    public void Reply(ServerId peer, MeshMessage reply)
    {
        Core.OnPeerReply(peer, reply, Now);
        Drain();
    }

    public void FailPeerRequest(ServerId peer, MeshMessage request)
    {
        Core.OnPeerFailed(peer, request, "unreachable", Now);
        Drain();
    }

    public TaskRecord[] Submit(int count, TaskType? of = null, string? id = null)
    {
        var type = of ?? TaskType.Query;
        var records = Enumerable.Range(0, count).Select(i =>
        {
            var wire = $"task-{Guid.NewGuid():N}";
            return new TaskRecord(id ?? wire, new TaskId(wire), type, "Maria", type == TaskType.Update ? 1 : null, 0) { Keyed = id is not null };
        }).ToArray();
        Submit(new Submission(records));
        return records;
    }

    public void Submit(Submission submission)
    {
        Core.OnSubmit(submission, Now);
        Drain();
    }

    /// <summary>Cancels a task, and returns all outcomes so far.</summary>
    public List<CancelOutcome> Cancel(string id, TaskRecord? deadLetter = null)
    {
        Core.OnCancel(new CancelRequest(id) { DeadLetter = deadLetter }, Now);
        Drain();
        return Cancels;
    }

    public void ChangePeers(params PeerSettings[] peers)
    {
        Core.OnPeersChanged(peers, Now);
        Drain();
    }

    public PauseStatus Pause()
    {
        var status = Core.OnPause();
        Drain();
        return status;
    }

    public PauseStatus Resume()
    {
        var status = Core.OnResume();
        Drain();
        return status;
    }

    public IReadOnlyList<WorkerId>? ReturnLoans()
    {
        var answer = Core.OnReturnLoans(Now);
        Drain();
        return answer;
    }

    public void Invalidated(TaskId task, decimal? applied)
    {
        Core.OnInvalidated(task, applied, Now);
        Drain();
    }

    public void Adopt(ServerId server, params TaskRecord[] tasks)
    {
        Core.OnAdopted(server, new StoredState { Tasks = tasks }, Now);
        Drain();
    }

    public void RefuseAdoption(ServerId server) => Core.OnAdoptionRefused(server, Now);

    public void ReleaseAdopted(ServerId server)
    {
        Core.OnAdoptionEnded(server, Now);
        Drain();
    }

    public void Stop()
    {
        Core.OnStopping(Now);
        Drain();
    }

    /// <summary>Advances the time, and calls the core's timer at each time that it has asked for.</summary>
    public void Pass(TimeSpan time)
    {
        var end = Now + time;
        for (var wakes = 0; Core.NextDueTime is { } wake && wake <= end; wakes++)
        {
            Assert.True(wakes < 100_000, "the core does not come to rest");
            Now = wake > Now ? wake : Now;
            Core.OnTimer(Now);
            Drain();
        }

        Now = end;
    }

    /// <summary>Sets the time, and calls the core's timer once.</summary>
    public void JumpTo(DateTimeOffset time)
    {
        Now = time;
        Core.OnTimer(Now);
        Drain();
    }

    public void Store()
    {
        HoldStore = false;
        Drain();
    }

    /// <summary>Stores the held batch. The batch after it is held.</summary>
    public void StoreOnce()
    {
        Assert.NotNull(_held);
        var batch = _held;
        _held = null;
        OnStored(batch);
        Drain();
    }

    public void FailStore()
    {
        Assert.NotNull(_held);
        var failed = _held;
        _held = null;
        Core.OnStoreFailed(failed, Now);
        Drain();
    }

    /// <summary>Marks an id as known to the store, as after a restart of the server.</summary>
    /// <param name="task">The stored task; null for a record that cannot be read.</param>
    public void Know(string id, TaskRecord? task = null) => _known[id] = task;

    /// <summary>The store has lost the last changes that it had acknowledged, and refuses the held batch.</summary>
    public void RollBackStore(StoredState stored)
    {
        var batch = _held ?? new StoreBatch();
        _held = null;
        HoldStore = false;
        _dead = stored.Dead;
        Core.OnStoreRolledBack(batch, stored, Now);
        Drain();
    }

    public T Last<T>(SessionId session)
        where T : MeshMessage =>
        Assert.IsType<T>(Sent.Last(send => send.Session == session).Message);

    public IEnumerable<MeshMessage> To(SessionId session) => Sent.Where(send => send.Session == session).Select(send => send.Message);

    public IEnumerable<T> ToPeer<T>(ServerId peer)
        where T : MeshMessage =>
        ToPeers.Where(send => send.Peer == peer).Select(send => send.Message).OfType<T>();

    public WorkerState? WorkerOf(string worker) =>
        Core.GetStatus().Workers.FirstOrDefault(one => one.Id.Value == worker)?.State;

    public LoanState? LoanOf(string worker) =>
        Core.GetStatus().Loans.FirstOrDefault(loan => loan.Worker.Value == worker)?.State;

    /// <summary>A peer answers its heartbeat.</summary>
    public void Alive(ServerId? peer = null, ServerLoad? load = null) =>
        Reply(peer ?? Peer, new HeartbeatResponse(peer ?? Peer) { Load = load });

    private void Drain()
    {
        while (true)
        {
            Sent.AddRange(_effects.Sends);
            ToPeers.AddRange(_effects.PeerSends);
            Links.AddRange(_effects.PeerLinks.Select(link => (link.Peer, link.Settings is not null)));
            Invalidations.AddRange(_effects.Invalidations);
            Answers.AddRange(_effects.SubmissionResults.Select(answer => answer.Outcome));
            Cancels.AddRange(_effects.CancelResults.Select(result => result.Outcome));
            Ends.AddRange(_effects.TaskEnds);
            Events.AddRange(_effects.Events);
            Adoptions.AddRange(_effects.AdoptionRequests);
            Releases.AddRange(_effects.LeaseReleases);
            _effects.Clear();
            if ((_held ??= Core.Journal.TryTake()) is not { } batch || HoldStore)
            {
                return;
            }

            _held = null;
            OnStored(batch);
        }
    }

    private void OnStored(StoreBatch batch)
    {
        Stored.AddRange(batch.Ops);
        var known = batch.Ops.Where(op => op is { Kind: StoreOpKind.AcceptTask or StoreOpKind.PutSchedule, Task: not null }).Select(op => op.Task!).Concat(batch.Ops.SelectMany(op => op.Then ?? []))
            .Where(task => _known.ContainsKey(task.Id)).DistinctBy(task => task.Id).ToDictionary(task => task.Id, task => _known[task.Id]);
        _dead += batch.Ops.Where(op => op.StoredBy is null).Sum(op => op.Kind switch
        {
            StoreOpKind.MoveTaskToDeadLetters => 1,
            StoreOpKind.RetryDeadLetter or StoreOpKind.DeleteDeadLetter => -1,
            _ => 0,
        });
        batch.DeadLetters = _dead;
        Core.OnStored(batch, known, Now);
    }
}
