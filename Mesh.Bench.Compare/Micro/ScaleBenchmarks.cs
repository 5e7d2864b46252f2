using BenchmarkDotNet.Attributes;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Compare.Micro;

/// <summary>What the core of a server does for one task, heartbeat, request for workers and list, by the number of its workers, queued tasks and peers.</summary>
public class ScaleBenchmarks
{
    private const int ListLimit = 100;

    private static readonly MeshEndpoint Borrower = new("10.0.0.1", 9001);
    private static readonly TaskTypeSet Types = TaskTypeSet.Of(TaskType.Query);
    private static readonly Dictionary<string, TaskRecord?> NoneKnown = [];

    private readonly Effects _effects = new();
    private readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private ServerCore _core = null!;
    private int _next;

    /// <summary>The number of workers. Each has a get_task that the server holds, unless tasks are queued.</summary>
    [ParamsSource(nameof(Sizes))]
    public (int Workers, int Queued, int Peers) Size { get; set; }

    /// <summary>One dimension grows at a time.</summary>
    public static IEnumerable<(int Workers, int Queued, int Peers)> Sizes =>
    [
        (10, 0, 1), (100, 0, 1), (1_000, 0, 1), (10_000, 0, 1), (20_000, 0, 1),
        (10, 100, 1), (10, 10_000, 1), (10, 1_000_000, 1),
        (10, 0, 100),
    ];

    [GlobalSetup]
    public void Setup()
    {
        var peers = Enumerable.Range(1, Size.Peers).Select(peer => new PeerSettings(new($"server-{peer}"), new($"10.0.0.{peer}", 9001))).ToArray();
        _core = new(
            new ServerSettings
            {
                Id = new("server-0"),
                Advertise = new("127.0.0.1", 9001),
                Peers = peers,
                Tasks = new TasksOptions { Capacity = int.MaxValue },
                Sessions = new SessionsOptions { MaxWorkers = int.MaxValue },
                Balancing = new BalancingOptions { MaxQueueThreshold = int.MaxValue },
            },
            StoredState.Empty,
            _now,
            seed: 1,
            _effects);
        foreach (var peer in peers)
        {
            _core.OnPeerReply(peer.Id, new HeartbeatResponse(peer.Id), _now);
        }

        for (var queued = 0; queued < Size.Queued; queued += 100)
        {
            Submit(100);
        }

        if (Size.Queued == 0)
        {
            for (var worker = 0; worker < Size.Workers; worker++)
            {
                Ask(worker);
            }
        }

        Store();
    }

    /// <summary>A task from its submission to the ACK, and the next get_task of its worker.</summary>
    /// <exception cref="InvalidOperationException">The task was not dispatched.</exception>
    [Benchmark]
    public void Task()
    {
        Submit(1);
        if (Size.Queued > 0)
        {
            Ask(_next++ % Size.Workers);
        }

        Store();
        var (session, sent) = _effects.Sends is [.., { Session: var to, Message: NewTask task }] ? (to, task) : throw new InvalidOperationException("No task was dispatched.");
        _effects.Clear();
        _core.OnMessage(session, Framing.WebSocket, new TaskStatus(TaskOutcome.Ok, TaskType.Query, IdOf((int)session.Value)) { Id = sent.Id, Result = RawJson.Of(0) }, _now);
        if (Size.Queued == 0)
        {
            Ask((int)session.Value);
        }

        Store();
        _effects.Clear();
    }

    /// <summary>A heartbeat of a peer and its answer.</summary>
    [Benchmark]
    public void Heartbeat()
    {
        _core.OnMessage(new SessionId(-1), Framing.WebSocket, new Heartbeat(new("server-1")) { Load = new ServerLoad(0, 0) }, _now);
        _effects.Clear();
    }

    /// <summary>A request for a worker of a type that none handles.</summary>
    [Benchmark]
    public void RefusedRequest()
    {
        _core.OnMessage(new SessionId(-1), Framing.WebSocket, new WorkerRequest(Borrower) { Server = new("server-1"), WorkersNeeded = 1, Tasks = TaskTypeSet.Of(new TaskType("OTHER")) }, _now);
        _effects.Clear();
    }

    /// <summary>The time when the loop has to call the core next, which it reads after each batch of inputs.</summary>
    [Benchmark]
    public DateTimeOffset? NextDueTime() => _core.NextDueTime;

    /// <summary>GET /tasks?state=queued.</summary>
    [Benchmark]
    public int ListQueued() => _core.ListTasks(TaskState.Queued, ListLimit).Count();

    private static WorkerId IdOf(int worker) => new($"WORKER_{worker}");

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
