using System.Diagnostics;
using System.Globalization;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using MeshAspire.Client;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>
/// A client under faults: connections cut before and after the server processed a request, late answers, full queues, killed servers, a stopped Redis. Each task that the client
/// reports as accepted is applied exactly once, and no other task is. MESH_CHAOS_SEED repeats the random choices of a run, though not its timing.
/// </summary>
[Trait("Speed", "Slow")]
[Collection(SequentialTests.Name)]
public sealed class ClientChaosTests(ITestOutputHelper output)
{
    private const int Submitters = 16;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("MESH_CHAOS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next();
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submissions_UnderFaults_AreAppliedOnceWhenReportedAsAccepted()
    {
        output.WriteLine($"seed {_seed}");
        await using var redis = await RedisProcess.StartAsync(Stop);
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var a = await ServerAsync(redis, "chaos-a", portA, ("chaos-b", portB));
        await using var b = await ServerAsync(redis, "chaos-b", portB, ("chaos-a", portA));
        await using var workerA = Worker(redis, "CHAOS_WORKER_A", a);
        await using var workerB = Worker(redis, "CHAOS_WORKER_B", b);
        await using var proxyA = new FaultProxy(RedisProcess.FreePort(), portA, _seed);
        await using var proxyB = new FaultProxy(RedisProcess.FreePort(), portB, _seed + 1);
        await a.SetBalanceAsync("chaos", 0);
        using var spans = new SpanCounter();
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(1) });
        var client = NewClient(http, proxyA, proxyB, TimeSpan.FromSeconds(4));
        var load = new ClientChaosLoad(client, "chaos", _seed);

        proxyA.Injects = proxyB.Injects = true;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var loading = load.RunAsync(Submitters, ends.Token);
        await InjectAsync([(a, proxyA), (b, proxyB)], redis);
        await ends.CancelAsync();
        await loading;
        proxyA.Injects = proxyB.Injects = false;
        await a.HealthyAsync();
        await b.HealthyAsync();
        await load.ResolveAsync(Stop);

        var balance = await SettledBalanceAsync(a, b);
        output.WriteLine(
            $"submitted {load.Submitted}, accepted {load.Accepted.Count} (of them unknown first: {load.Unknown}), refused full {load.RefusedFull}, refused unavailable {load.RefusedUnavailable}, "
            + $"retries {spans.Retries}, accepted at the fallback {spans.Fallbacks} submissions");
        output.WriteLine(
            $"lost requests {proxyA.LostRequests + proxyB.LostRequests}, lost answers {proxyA.LostAnswers + proxyB.LostAnswers}, late answers {proxyA.DelayedAnswers + proxyB.DelayedAnswers}, "
            + string.Join(", ", _faults.Select(fault => $"{fault.Key} {fault.Value} times")));
        output.WriteLine($"balance {balance}");
        Assert.Equal(load.Accepted.Count, load.Accepted.Distinct().Count());
        Assert.Equal(load.Accepted.Count, balance);
        Assert.Equal(load.Submitted, load.Accepted.Count + load.RefusedFull + load.RefusedUnavailable);
        Assert.InRange(load.Accepted.Count, 100, int.MaxValue);
        foreach (var id in load.Accepted)
        {
            Assert.Equal(MeshTaskState.Done, (await client.GetAsync(id, Stop))?.State);
        }
    }

    /// <summary>Injects one fault after the other, and ends each.</summary>
    private async Task InjectAsync((MeshProcess Process, FaultProxy Proxy)[] servers, RedisProcess redis)
    {
        var random = new Random(_seed);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Duration)
        {
            await PauseAsync(random, 200, 800);
            var (process, proxy) = servers[random.Next(servers.Length)];
            switch (random.Next(5))
            {
                case 0 or 1:
                    Count("server killed");
                    var refuses = random.Next(2) == 0;
                    process.Kill();
                    if (refuses)
                    {
                        await proxy.CloseAsync();
                    }

                    await PauseAsync(random, 200, 1_500);
                    await process.RestartAsync();
                    await process.HealthyAsync();
                    if (refuses)
                    {
                        proxy.Open();
                    }

                    break;
                case 2:
                    Count("connections refused");
                    await proxy.CloseAsync();
                    await PauseAsync(random, 200, 1_500);
                    proxy.Open();
                    break;
                case 3:
                    Count("redis stopped");
                    redis.Pause();
                    await PauseAsync(random, 500, 4_000);
                    redis.Continue();
                    break;
                default:
                    Count("server stopped in order");
                    await process.StopAsync();
                    await PauseAsync(random, 0, 500);
                    await process.RestartAsync();
                    await process.HealthyAsync();
                    break;
            }
        }
    }

    private void Count(string fault) => _faults[fault] = _faults.GetValueOrDefault(fault) + 1;

    private static Task PauseAsync(Random random, int least, int most) => Task.Delay(TimeSpan.FromMilliseconds(random.Next(least, most)), TimeProvider.System, Stop);

    /// <summary>Waits until no server has an unsettled task, and returns the balance.</summary>
    private static async Task<decimal> SettledBalanceAsync(params MeshProcess[] servers)
    {
        foreach (var server in servers)
        {
            await server.StatusAsync("all tasks are settled", status => (int)status["queue"]! + (int)status["running"]! + (int)(status["scheduled"] ?? 0)! == 0, servers);
        }

        return await servers[0].BalanceAsync("chaos");
    }

    private static MeshClient NewClient(HttpClient http, FaultProxy primary, FaultProxy fallback, TimeSpan operationTimeout) => new(http, new()
    {
        Endpoints = { primary.Address, fallback.Address },
        RequestTimeout = TimeSpan.FromSeconds(1),
        OperationTimeout = operationTimeout,
        RetryDelay = TimeSpan.FromMilliseconds(20),
        MaxRetryDelay = TimeSpan.FromMilliseconds(500),
        UnreachableTime = TimeSpan.FromMilliseconds(300),
    });

    private static async Task<MeshProcess> ServerAsync(RedisProcess redis, string id, int port, (string Id, int Port) peer) => await MeshProcess.ServerAsync(
        redis.ConnectionString, id, port, [peer], new() { ["Tasks__Capacity"] = "40", ["Tasks__MaxAttempts"] = "1000", ["Tasks__RetryDelay"] = "00:00:00.1" });

    private static MeshProcess Worker(RedisProcess redis, string id, MeshProcess home) => MeshProcess.Worker(
        redis.ConnectionString, id, home.Id, home.Port, new() { ["Concurrency"] = "4", ["WorkTime"] = "00:00:00.010" });

    /// <summary>Counts the retries and fallbacks that the client's spans have.</summary>
    private sealed class SpanCounter : IDisposable
    {
        private readonly ActivityListener _listener;
        private int _retries;
        private int _fallbacks;

        public SpanCounter()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "MeshAspire.Client",
                Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    Interlocked.Add(ref _retries, (int)(span.GetTagItem("mesh.client.retries") ?? 0));
                    Interlocked.Add(ref _fallbacks, span.GetTagItem("mesh.client.fallback") is true ? 1 : 0);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public int Retries => _retries;

        public int Fallbacks => _fallbacks;

        public void Dispose() => _listener.Dispose();
    }
}
