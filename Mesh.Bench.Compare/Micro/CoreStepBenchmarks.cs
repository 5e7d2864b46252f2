using BenchmarkDotNet.Attributes;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Compare.Micro;

/// <summary>
/// One task through the core of a server, without sockets and store: its share of a submission of 500 tasks, get_task, new_task, status and ACK. The store answers each batch at once.
/// </summary>
public class CoreStepBenchmarks
{
    private const int Tasks = 500;

    private static readonly WorkerId Worker = new("WORKER_1a2b3c");
    private static readonly GetTask Poll = new(Worker) { Tasks = TaskTypeSet.Of(TaskType.Query) };
    private static readonly SessionId Session = new(1);
    private static readonly Dictionary<string, TaskRecord?> NoneKnown = [];

    private readonly Effects _effects = new();
    private readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private ServerCore? _core;
    private int _acknowledged;

    [GlobalSetup]
    public void Setup()
    {
        var settings = new ServerSettings { Id = new("server-a"), Advertise = new("127.0.0.1", 9001), Peers = [] };
        _core = new(settings, StoredState.Empty, _now, seed: 1, _effects);
    }

    /// <exception cref="InvalidOperationException">A task was not dispatched or not acknowledged.</exception>
    [Benchmark(OperationsPerInvoke = Tasks)]
    public void SubmitDispatchSettle()
    {
        _core!.OnSubmit(new Submission(SampleTasks.Create(Tasks)), _now);
        Store();
        _acknowledged = 0;
        for (var task = 0; task < Tasks; task++)
        {
            _core.OnMessage(Session, Framing.WebSocket, Poll, _now);
            var sent = TakeTask();
            _core.OnMessage(Session, Framing.WebSocket, new TaskStatus(TaskOutcome.Ok, TaskType.Query, Worker) { Id = sent.Id, Result = RawJson.Of(0) }, _now);
            Store();
        }

        if (_acknowledged != Tasks)
        {
            throw new InvalidOperationException($"{_acknowledged} of {Tasks} tasks were acknowledged.");
        }
    }

    private NewTask TakeTask()
    {
        var sent = _effects.Sends is [{ Message: NewTask task }] ? task : throw new InvalidOperationException("No task was dispatched.");
        _effects.Clear();
        return sent;
    }

    private void Store()
    {
        while (_core!.Journal.TryTake() is { } batch)
        {
            _core.OnStored(batch, NoneKnown, _now);
        }

        foreach (var send in _effects.Sends)
        {
            _acknowledged += send.Message is Ack ? 1 : 0;
        }

        _effects.Clear();
    }
}
