using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Compare.Micro;

/// <summary>The core of a server with workers, queued tasks and peers, without sockets and store. The store answers each batch at once.</summary>
internal sealed class BusyCore
{
    private const int ListLimit = 100;

    private static readonly MeshEndpoint Borrower = new("10.0.0.1", 9001);
    private static readonly ServerId Peer = new("server-1");
    private static readonly TaskTypeSet Types = TaskTypeSet.Of(TaskType.Query);
    private static readonly TaskTypeSet OtherTypes = TaskTypeSet.Of(new TaskType("OTHER"));
    private static readonly Dictionary<string, TaskRecord?> NoneKnown = [];

    private readonly Effects _effects = new();
    private readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private ServerCore _core = null!;
    private int _workers;
    private int _next;
    private bool _hasQueue;

    public DateTimeOffset? NextDueTime => _core.NextDueTime;

    /// <param name="workers">When no task is queued, each has a pending get_task.</param>
    public void Start(int workers, int queued, int peers)
    {
        (_workers, _hasQueue) = (workers, queued > 0);
        var others = Enumerable.Range(1, peers).Select(peer => new PeerSettings(new($"server-{peer}"), new($"10.0.0.{peer}", 9001))).ToArray();
        _core = new(
            new ServerSettings
            {
                Id = new("server-0"),
                Advertise = new("127.0.0.1", 9001),
                Peers = others,
                Tasks = new TasksOptions { Capacity = int.MaxValue },
                Sessions = new SessionsOptions { MaxWorkers = int.MaxValue },
                Balancing = new BalancingOptions { MaxQueueThreshold = int.MaxValue },
            },
            StoredState.Empty,
            _now,
            seed: 1,
            _effects);
        foreach (var peer in others)
        {
            _core.OnPeerReply(peer.Id, new HeartbeatResponse(peer.Id), _now);
        }

        for (var count = 0; count < queued; count += ListLimit)
        {
            Submit(ListLimit);
        }

        for (var worker = 0; worker < (_hasQueue ? 0 : workers); worker++)
        {
            Ask(worker);
        }

        Store();
        _effects.Clear();
    }

    /// <summary>A task from its submission to the ACK, and the next get_task of its worker.</summary>
    /// <exception cref="InvalidOperationException">No task was dispatched.</exception>
    public void RunTask()
    {
        Submit(1);
        if (_hasQueue)
        {
            Ask(_next++ % _workers);
        }

        Store();
        var (session, sent) = _effects.Sends is [.., { Session: var to, Message: NewTask task }] ? (to, task) : throw new InvalidOperationException("No task was dispatched.");
        _effects.Clear();
        _core.OnMessage(session, Framing.WebSocket, new TaskStatus(TaskOutcome.Ok, TaskType.Query, IdOf((int)session.Value)) { Id = sent.Id, Result = RawJson.Of(0) }, _now);
        if (!_hasQueue)
        {
            Ask((int)session.Value);
        }

        Store();
        _effects.Clear();
    }

    /// <summary>A heartbeat of a peer and its answer.</summary>
    public void AnswerHeartbeat() => Say(new Heartbeat(Peer) { Load = new ServerLoad(0, 0) });

    /// <summary>A request for a worker of a type that none handles, and its answer.</summary>
    public void RefuseRequest() => Say(new WorkerRequest(Borrower) { Server = Peer, WorkersNeeded = 1, Tasks = OtherTypes });

    /// <summary>GET /tasks?state=queued.</summary>
    public int ListQueued() => _core.ListTasks(TaskState.Queued, ListLimit).Count();

    private static WorkerId IdOf(int worker) => new($"WORKER_{worker}");

    private void Say(MeshMessage message)
    {
        _core.OnMessage(new SessionId(-1), Framing.WebSocket, message, _now);
        _effects.Clear();
    }

    private void Submit(int count) => _core.OnSubmit(new Submission(SampleTasks.Create(count)), _now);

    private void Ask(int worker) => _core.OnMessage(new SessionId(worker), Framing.WebSocket, new GetTask(IdOf(worker)) { Tasks = Types }, _now);

    private void Store()
    {
        while (_core.Journal.TryTake() is { } batch)
        {
            _core.OnStored(batch, NoneKnown, _now);
        }
    }
}
