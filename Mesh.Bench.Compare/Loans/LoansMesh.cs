using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Bench.Chaos;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Compare.Running;
using MeshAspire.Client;
using Microsoft.Extensions.Hosting;

namespace Mesh.Bench.Compare.Loans;

/// <summary>A Redis, a server that borrows, a server that lends, and the workers of the latter, each a host of its own in this process.</summary>
internal sealed class LoansMesh : IAsyncDisposable
{
    private const string LenderId = "lender";
    private static readonly TimeSpan HomeTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(100);

    private readonly List<IAsyncDisposable> _processes = [];
    private readonly List<IHost> _workers = [];
    private readonly HttpClient _borrower;
    private readonly HttpClient _lender;
    private TaskCompletionSource<long> _firstTask = new();

    private LoansMesh(int borrowerPort, int lenderPort)
    {
        (_borrower, _lender) = (ClientOf(borrowerPort), ClientOf(lenderPort));
        Borrower = new(_borrower, new() { Endpoints = { _borrower.BaseAddress!.ToString() } });
    }

    public MeshClient Borrower { get; }

    /// <param name="directory">The directory of the data of Redis.</param>
    public static async Task<LoansMesh> StartAsync(int workers, string directory, CancellationToken cancellationToken)
    {
        if (RedisProcess.FindProgram() is null)
        {
            throw new BenchException($"loans cannot run: {RedisProcess.Missing}");
        }

        var (redis, borrower, lender) = (PortAllocator.Next(), PortAllocator.Next(), PortAllocator.Next());
        var mesh = new LoansMesh(borrower, lender);
        try
        {
            mesh._processes.Add(await RedisProcess.StartAsync(redis, Fsync.EverySecond, directory, cancellationToken));
            mesh._processes.Add(await MeshServerProcess.StartAsync("borrower", borrower, redis, PeerOf(LenderId, lender), cancellationToken));
            mesh._processes.Add(await MeshServerProcess.StartAsync(LenderId, lender, redis, PeerOf("borrower", borrower), cancellationToken));
            for (var i = 0; i < workers; i++)
            {
                var host = mesh.CreateWorker(i, borrower, lender);
                mesh._workers.Add(host);
                await host.StartAsync(cancellationToken);
            }

            return mesh;
        }
        catch
        {
            await mesh.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns the time stamp at which a worker begins the next task.</summary>
    public Task<long> ExpectTask()
    {
        var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _firstTask, next);
        return next.Task;
    }

    /// <summary>Waits until no task waits and all workers are idle at home.</summary>
    public async Task WaitUntilHomeAsync(CancellationToken cancellationToken)
    {
        for (var since = Stopwatch.GetTimestamp(); !await IsHomeAsync(cancellationToken);)
        {
            if (Stopwatch.GetElapsedTime(since) > HomeTimeout)
            {
                throw new BenchException($"The workers were not all at home and idle within {HomeTimeout.TotalSeconds:0} s.");
            }

            await Task.Delay(StatusInterval, TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_workers.Select(host => host.StopAsync()));
        _workers.ForEach(host => host.Dispose());
        foreach (var process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }

        _borrower.Dispose();
        _lender.Dispose();
    }

    private static Dictionary<string, string> PeerOf(string id, int port) => new() { ["Mesh__Peers__0__Id"] = id, ["Mesh__Peers__0__Endpoint"] = AddressOf(port) };

    private static HttpClient ClientOf(int port) => new() { BaseAddress = new Uri($"http://{AddressOf(port)}") };

    private static string AddressOf(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private async Task<bool> IsHomeAsync(CancellationToken cancellationToken)
    {
        var borrower = await StatusAsync(_borrower, cancellationToken);
        var lender = await StatusAsync(_lender, cancellationToken);
        return borrower["loans"] is JsonArray { Count: 0 } && lender["loans"] is JsonArray { Count: 0 }
            && lender["workers"] is JsonArray workers && workers.Count == _workers.Count && workers.All(worker => (string?)worker!["state"] == "idle");
    }

    private static async Task<JsonNode> StatusAsync(HttpClient http, CancellationToken cancellationToken) =>
        await http.GetFromJsonAsync<JsonNode>(new Uri("/status", UriKind.Relative), cancellationToken) ?? throw new BenchException("A server has answered /status with null.");

    private IHost CreateWorker(int number, int borrower, int lender)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddMeshWorker(configureSettings: settings =>
            {
                settings.WorkerId = string.Create(CultureInfo.InvariantCulture, $"worker-{number}");
                settings.HomeServer = new() { Id = LenderId, Endpoint = AddressOf(lender) };
                settings.Redirect = new() { Allowed = [AddressOf(borrower)] };
                settings.StopTimeout = TimeSpan.Zero;
                (settings.DisableHealthChecks, settings.DisableTracing) = (true, true);
            })
            .AddHandler<Account, int>("QUERY", (_, _) =>
            {
                Volatile.Read(ref _firstTask).TrySetResult(Stopwatch.GetTimestamp());
                return Task.FromResult(0);
            });
        return builder.Build();
    }

    private sealed record Account(string User);
}
