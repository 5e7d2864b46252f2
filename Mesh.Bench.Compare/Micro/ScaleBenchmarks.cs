using BenchmarkDotNet.Attributes;

namespace Mesh.Bench.Compare.Micro;

/// <summary>The cost of one step in the core of a server, by the number of its workers. Each worker has a get_task that the server holds.</summary>
public class WorkersBenchmarks
{
    private readonly BusyCore _core = new();

    [Params(10, 100, 1_000, 10_000, 20_000)]
    public int Workers { get; set; }

    [GlobalSetup]
    public void Setup() => _core.Start(Workers, queued: 0, peers: 1);

    [Benchmark]
    public void Task() => _core.RunTask();

    [Benchmark]
    public void Heartbeat() => _core.AnswerHeartbeat();

    [Benchmark]
    public void RefusedRequest() => _core.RefuseRequest();
}

/// <summary>The cost of one step in the core of a server, by the number of queued tasks.</summary>
public class QueueBenchmarks
{
    private readonly BusyCore _core = new();

    [Params(100, 10_000, 1_000_000)]
    public int Queued { get; set; }

    [GlobalSetup]
    public void Setup() => _core.Start(workers: 10, Queued, peers: 1);

    [Benchmark]
    public void Task() => _core.RunTask();

    [Benchmark]
    public int ListQueued() => _core.ListQueued();
}

/// <summary>The cost of one step in the core of a server, by the number of its peers.</summary>
public class PeersBenchmarks
{
    private readonly BusyCore _core = new();

    [Params(1, 10, 100)]
    public int Peers { get; set; }

    [GlobalSetup]
    public void Setup() => _core.Start(workers: 10, queued: 0, Peers);

    [Benchmark]
    public void Task() => _core.RunTask();

    /// <summary>The time when the loop has to call the core next, which it reads after each batch of inputs.</summary>
    [Benchmark]
    public DateTimeOffset? NextDueTime() => _core.NextDueTime;
}
