using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The processes of one run: a Redis and its replica, servers and workers. A proxy stands in front of each process that listens.</summary>
internal sealed class ChaosMesh : IAsyncDisposable
{
    private readonly ChaosPlan _plan;
    private readonly TimeProvider _time;

    public ChaosMesh(ChaosPlan plan, TimeProvider time)
    {
        (_plan, _time) = (plan, time);
        var first = RedisNode.Create("redis-0", plan, primary: null, time);
        Redis = [first, RedisNode.Create("redis-1", plan, first.Port, time)];
        var redis = string.Join(',', Redis.Select(node => Address(node.Proxy.Port)));
        var inner = Enumerable.Range(0, plan.Servers).Select(_ => PortAllocator.Next()).ToArray();
        var outer = Enumerable.Range(0, plan.Servers).Select(_ => PortAllocator.Next()).ToArray();
        ServerProxies = [.. inner.Select((port, i) => new TcpProxy($"the network before {ChaosPlan.ServerId(i)}", outer[i], port))];
        Servers = [.. inner.Select((port, i) => Process(ChaosPlan.ServerId(i), ServerStart(i, port, outer, redis)))];
        Workers = [.. Enumerable.Range(0, plan.Servers).SelectMany(server => WorkersOf(server, outer[server], redis))];
        Http = [.. outer.Select(Client)];
    }

    /// <summary>The two Redis nodes. At any time, one of them is the replica of the other.</summary>
    public IReadOnlyList<RedisNode> Redis { get; }

    public IReadOnlyList<ChaosProcess> Servers { get; }

    public IReadOnlyList<ChaosProcess> Workers { get; }

    public IReadOnlyList<TcpProxy> ServerProxies { get; }

    /// <summary>One HTTP client for each server. It connects through the server's proxy.</summary>
    public IReadOnlyList<HttpClient> Http { get; }

    public IEnumerable<ChaosProcess> All => [.. Redis.Select(node => node.Process), .. Servers, .. Workers];

    public IEnumerable<TcpProxy> Proxies => [.. Redis.Select(node => node.Proxy), .. ServerProxies];

    public void Start()
    {
        foreach (var proxy in Proxies)
        {
            proxy.Start();
        }

        foreach (var process in All)
        {
            process.Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Redis)
        {
            await node.DisposeAsync();
        }

        // All processes are stopped in parallel. Stopped one by one, the last ones could outlive a run that is interrupted.
        await Task.WhenAll(All.Select(process => process.DisposeAsync().AsTask()));
        foreach (var proxy in Proxies)
        {
            await proxy.DisposeAsync();
        }

        foreach (var client in Http)
        {
            client.Dispose();
        }
    }

    private ChaosProcess Process(string name, ProcessStartInfo start) => new(name, start, _plan.Directory, _time);

    private ProcessStartInfo ServerStart(int server, int port, int[] outer, string redis)
    {
        var start = DotNet("Mesh.Server", "--urls", $"http://127.0.0.1:{port}");
        Set(start, redis, new()
        {
            ["ServerId"] = ChaosPlan.ServerId(server),
            ["Advertise"] = Address(outer[server]),
            // Short times, so that each kind of recovery happens many times in a run.
            ["Timing__HeartbeatInterval"] = "00:00:01",
            ["Timing__HeartbeatTimeout"] = "00:00:04",
            ["Timing__HeartbeatRetryDelay"] = "00:00:00.500",
            ["Timing__HeartbeatMaxDelay"] = "00:00:02",
            ["Timing__LoadBalancerInterval"] = "00:00:00.250",
            ["Timing__ReplyTimeout"] = "00:00:02",
            ["Balancing__ReleaseAfter"] = "00:00:00.500",
            ["Tasks__LeaseTime"] = "00:00:05",
            ["Tasks__WorkerGrace"] = "00:00:01",
            ["Tasks__LineWorkerTimeout"] = "00:00:05",
            ["Tasks__MaxAttempts"] = "6",
            ["Tasks__ResultRetention"] = (_plan.Duration + TimeSpan.FromHours(2)).ToString("c", CultureInfo.InvariantCulture),
            ["Loans__ArrivalTimeout"] = "00:00:05",
            ["Loans__ReleaseRetryDelay"] = "00:00:01",
            ["Loans__ReleaseRetryMaxDelay"] = "00:00:05",
            ["Loans__ReturnTimeout"] = "00:00:10",
            ["Loans__BorrowerLostAfter"] = "00:00:15",
        });
        var peers = Enumerable.Range(0, _plan.Servers).Where(peer => peer != server).ToArray();
        for (var i = 0; i < peers.Length; i++)
        {
            start.Environment[$"Mesh__Peers__{i}__Id"] = ChaosPlan.ServerId(peers[i]);
            start.Environment[$"Mesh__Peers__{i}__Endpoint"] = Address(outer[peers[i]]);
        }

        return start;
    }

    private IEnumerable<ChaosProcess> WorkersOf(int server, int port, string redis)
    {
        for (var worker = 0; worker < _plan.Workers; worker++)
        {
            var start = DotNet("Mesh.Worker");
            Set(start, redis, new()
            {
                ["WorkerId"] = ChaosPlan.WorkerId(server, worker),
                ["HomeServer__Id"] = ChaosPlan.ServerId(server),
                ["HomeServer__Endpoint"] = Address(port),
                ["Transport"] = worker % 2 == 0 ? "WebSocket" : "Tcp",
                ["Concurrency"] = Text(1 + (worker % 2)),
                ["WorkTime"] = "00:00:00.060",
            });
            yield return Process(ChaosPlan.WorkerId(server, worker), start);
        }

        for (var worker = 0; worker < _plan.LineWorkers; worker++)
        {
            var id = ChaosPlan.LineWorkerId(server, worker);
            var script = Path.Combine(AppContext.BaseDirectory, "Chaos", "line_worker.py");
            yield return Process(id, new ProcessStartInfo(_plan.Programs.Python!, [script, id, ChaosPlan.ServerId(server), "127.0.0.1", Text(port)]));
        }
    }

    /// <exception cref="BenchException">The build has not copied the program to the output directory of this one.</exception>
    private ProcessStartInfo DotNet(string program, params string[] arguments)
    {
        var path = Path.Combine(AppContext.BaseDirectory, program + ".dll");
        return File.Exists(path) ? new(_plan.Programs.DotNet, [path, .. arguments]) : throw new BenchException($"{path} is missing. Build Mesh.Bench again.");
    }

    private void Set(ProcessStartInfo start, string redis, Dictionary<string, string> settings)
    {
        start.Environment["ConnectionStrings__redis"] = redis;
        start.Environment["Mesh__Token"] = _plan.Token;
        start.Environment["Logging__LogLevel__Microsoft.AspNetCore"] = "Warning";
        foreach (var (key, value) in settings)
        {
            start.Environment[$"Mesh__{key}"] = value;
        }
    }

    private HttpClient Client(int port)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://{Address(port)}"), Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _plan.Token);
        return client;
    }

    private static string Address(int port) => $"127.0.0.1:{Text(port)}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
