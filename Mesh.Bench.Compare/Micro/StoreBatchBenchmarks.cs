using System.Globalization;
using BenchmarkDotNet.Attributes;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using StackExchange.Redis;

namespace Mesh.Bench.Compare.Micro;

/// <summary>Writes a batch of accepted tasks to Redis and then a batch with their results. The figures are of both batches.</summary>
public class StoreBatchBenchmarks
{
    private static readonly ServerId Server = new("server-a");
    private static readonly TimeSpan ResultRetention = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaseExpiry = TimeSpan.FromHours(1);

    private ConnectionMultiplexer? _connection;
    private RedisMeshStore? _store;

    /// <summary>The port of Redis. Set before the benchmarks start.</summary>
    public static int RedisPort { get; set; }

    [Params(1, 64, 500)]
    public int Tasks { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _connection = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{RedisPort}"));
        await _connection.GetServers()[0].PingAsync();
        var database = _connection.GetDatabase();
        await database.ExecuteAsync("FLUSHALL");
        _store = new(() => database, Server, ResultRetention, LeaseExpiry);
        var lease = await _store.AcquireLeaseAsync(Server, new ServerLeaseHolder(Server, "benchmark", "127.0.0.1", null), gone: null, CancellationToken.None);
        if (lease.Result != ServerLeaseAcquireStatus.Acquired)
        {
            throw new InvalidOperationException("The lease was not acquired.");
        }

        await _store.LoadAsync(Server, CancellationToken.None);
    }

    [GlobalCleanup]
    public async Task CleanupAsync() => await _connection!.DisposeAsync();

    [Benchmark]
    public async Task AcceptAndSettle()
    {
        var tasks = SampleTasks.Create(Tasks);
        await WriteAsync(StoreOpKind.AcceptTask, tasks);
        await WriteAsync(StoreOpKind.SettleTask, [.. tasks.Select(task => task with { State = TaskState.Done, Result = RawJson.Of(0) })]);
    }

    private async Task WriteAsync(StoreOpKind kind, TaskRecord[] tasks)
    {
        var batch = new StoreBatch();
        batch.Ops.AddRange(tasks.Select(task => StoreOp.Of(kind, task)));
        await _store!.WriteAsync(batch, CancellationToken.None);
    }
}
