using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Mesh.Tests.Integration.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>
/// The AppHost in the test's process, started once for all tests of a class: a Redis, two servers, six workers. It has short intervals and
/// no demo load. Disposing it fails when one of its processes is left.
/// </summary>
public abstract class MeshApp(params string[] arguments) : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private readonly TestVolume _volume = new();
    private readonly LogTail _lines = new();
    private readonly string _token = Guid.NewGuid().ToString("N");
    private SpanReceiver? _spans;
    private IDistributedApplicationTestingBuilder? _builder;
    private DistributedApplication? _app;

    internal static string[] Resources { get; } = ["redis", "server-a", "server-b", "workers-a", "workers-b"];

    /// <summary>The reason why the AppHost cannot run with these arguments on this machine; null when it runs.</summary>
    internal string? Fault { get; private set; }

    internal DistributedApplication App => _app!;

    internal SpanReceiver Spans => _spans!;

    /// <summary>The server with two fast workers.</summary>
    internal MeshClient A { get; private set; } = null!;

    /// <summary>The server with four workers, which are five times slower.</summary>
    internal MeshClient B { get; private set; } = null!;

    /// <summary>The lines of the mesh on the console of <c>dotnet run</c>.</summary>
    internal string Console => _lines.ConsoleText;

    public async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(StartLimit);
        try
        {
            _builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(
                [$"--Parameters:mesh-token={_token}", $"--Mesh:RedisVolume={_volume.Name}", $"--{AppHostPorts.Key}={AppHostPorts.Next()}", .. arguments], limit.Token);
        }
        catch (DistributedApplicationException fault)
        {
            Fault = fault.Message;
            return;
        }

        _spans = await SpanReceiver.StartAsync();
        _builder.Services.AddSingleton<TextWriter>(_lines.Console);
        // Without the requests of the tests, which would displace the lines of the resources.
        _builder.Services.AddLogging(logging => logging.ClearProviders().AddProvider(_lines)
            .AddFilter("System.Net.Http", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning));
        Quicken(Project("server-a"));
        Quicken(Project("server-b"));
        Project("workers-a").WithEnvironment("Mesh__WorkTime", "00:00:00.050");
        Project("workers-b").WithEnvironment("Mesh__WorkTime", "00:00:00.250");
        try
        {
            _app = await _builder.BuildAsync(limit.Token);
            await _app.StartAsync(limit.Token);
            foreach (var resource in Resources)
            {
                await _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The AppHost wasn't healthy within {StartLimit}:\n{_lines.Text}");
        }

        (A, B) = (Client("server-a"), Client("server-b"));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var processes = new List<ReplicaProcess>();
        if (_app is not null)
        {
            foreach (var (resource, replicas) in new[] { ("server-a", 1), ("server-b", 1), ("workers-a", 2), ("workers-b", 4) })
            {
                processes.AddRange(await ReplicaProcess.OfAsync(_app, resource, replicas));
            }

            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        if (_builder is not null)
        {
            await _builder.DisposeAsync();
            await _volume.RemoveAsync(_builder.AppHostDirectory);
        }

        if (_spans is not null)
        {
            await _spans.DisposeAsync();
        }

        await Eventually.HoldsAsync("the end of all processes", () => !processes.Any(process => process.Runs));
    }

    internal async Task<string> ConnectionStringAsync() => (await App.GetConnectionStringAsync("redis", TestContext.Current.CancellationToken))!;

    /// <summary>Skips the current test where this AppHost cannot run.</summary>
    internal void SkipUnlessRunning() => Assert.SkipWhen(Fault is not null, Fault ?? "");

    /// <summary>Waits until all workers are at home and idle and no others are known, no task waits and no loan is open.</summary>
    internal async Task AtRestAsync()
    {
        await WaitUntilIdleAsync(A, workers: 2);
        await WaitUntilIdleAsync(B, workers: 4);

        async Task WaitUntilIdleAsync(MeshClient server, int workers) => await server.StatusAsync(
            $"nothing to do, {workers} workers idle at home",
            status => (int)status["queue"]! + (int)status["running"]! + (int)status["scheduled"]! == 0 && !MeshTests.Loans(status).Any()
                && (bool)status["peers"]![0]!["alive"]! && IdleAtHome(status).Length == workers && MeshTests.Workers(status).Count() == workers,
            A, B);
    }

    internal static string[] IdleAtHome(JsonNode status) => [.. MeshTests.Workers(status)
        .Where(worker => (string)worker["state"]! == "idle" && (string)worker["home"]! == (string)status["id"]!)
        .Select(worker => (string)worker["id"]!)];

    private static void Quicken(IResourceBuilder<ProjectResource> server) => server
        .WithEnvironment("Mesh__Producer__Enabled", "false")
        .WithEnvironment("Mesh__Timing__HeartbeatInterval", "00:00:00.500")
        .WithEnvironment("Mesh__Timing__LoadBalancerInterval", "00:00:00.200")
        .WithEnvironment("Mesh__Balancing__ReleaseAfter", "00:00:00.500")
        .WithEnvironment("Mesh__Tasks__WorkerGrace", "00:00:00.300")
        // All four workers of a server may be killed under a task.
        .WithEnvironment("Mesh__Tasks__MaxAttempts", "5");

    private IResourceBuilder<ProjectResource> Project(string name) => _builder!.CreateResourceBuilder<ProjectResource>(name)
        .WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", _spans!.Endpoint)
        .WithEnvironment("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .WithEnvironment("OTEL_BSP_SCHEDULE_DELAY", "100");

    private Server Client(string name)
    {
        var http = App.CreateHttpClient(name);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        return new Server(name, http, _lines);
    }

    private sealed class Server(string id, HttpClient http, LogTail lines) : MeshClient(id, http)
    {
        /// <summary>The lines of all resources.</summary>
        public override string Output => lines.Text;
    }
}

public sealed class GarnetMeshApp() : MeshApp("--Mesh:Redis=garnet");

public sealed class ContainerMeshApp() : MeshApp("--Mesh:Redis=container");
