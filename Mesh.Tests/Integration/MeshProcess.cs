using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>A server or a worker as a process of its own, as an operator starts it by hand. Disposing it kills the process.</summary>
internal sealed class MeshProcess : MeshClient, IAsyncDisposable
{
    private const int Sigterm = 15;
    private const int Sigstop = 19;
    private const int Sigcont = 18;

    private readonly ProcessStartInfo _start;
    private readonly ConcurrentQueue<string> _output = new();
    private Process _process;

    private MeshProcess(string program, string id, int port, Dictionary<string, string> environment)
        : base(id, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") })
    {
        Port = port;
        _start = new ProcessStartInfo("dotnet", [program, .. port == 0 ? [] : new[] { "--urls", $"http://127.0.0.1:{port}" }])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            _start.Environment[key] = value;
        }

        _process = Launch();
    }

    public int Port { get; }

    public override string Output => $"--- {Id}\n{string.Join('\n', _output.TakeLast(200))}";

    /// <summary>All lines that it has written so far.</summary>
    public string Everything => string.Join('\n', _output);

    /// <summary>Its resident memory, MiB.</summary>
    public long MemoryMiB
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / (1024 * 1024);
        }
    }

    /// <param name="id">Unique in this run, since the servers of all tests share one Redis.</param>
    /// <param name="peers">Id and port of each peer.</param>
    /// <param name="settings">Further configuration, without the prefix "Mesh__".</param>
    /// <param name="environment">Further variables, as they are.</param>
    public static async Task<MeshProcess> ServerAsync(
        RedisFixture redis, string id, int port, IEnumerable<(string Id, int Port)>? peers = null, Dictionary<string, string>? settings = null,
        Dictionary<string, string>? environment = null) =>
        await ServerAsync(await redis.ConnectionStringAsync(), id, port, peers, settings, environment);

    public static async Task<MeshProcess> ServerAsync(
        string redis, string id, int port, IEnumerable<(string Id, int Port)>? peers = null, Dictionary<string, string>? settings = null,
        Dictionary<string, string>? environment = null)
    {
        var server = StartServer(redis, id, port, peers, settings, environment);
        await server.HealthyAsync();
        return server;
    }

    /// <summary>Starts a server, and does not wait for it.</summary>
    /// <param name="redis">Its connection string.</param>
    /// <param name="program">The file of a server of another version; null for the one that was built with the tests.</param>
    public static MeshProcess StartServer(
        string redis, string id, int port, IEnumerable<(string Id, int Port)>? peers = null, Dictionary<string, string>? settings = null,
        Dictionary<string, string>? environment = null, string? program = null)
    {
        environment = new Dictionary<string, string>(environment ?? [])
        {
            ["Mesh__ServerId"] = id,
            ["ConnectionStrings__redis"] = redis,
            ["Mesh__Timing__HeartbeatInterval"] = "00:00:00.500",
            ["Mesh__Timing__LoadBalancerInterval"] = "00:00:00.200",
            ["Mesh__Balancing__ReleaseAfter"] = "00:00:00.500",
        };
        foreach (var (peer, index) in (peers ?? []).Select((peer, index) => (peer, index)))
        {
            environment[$"Mesh__Peers__{index}__Id"] = peer.Id;
            environment[$"Mesh__Peers__{index}__Endpoint"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{peer.Port}");
        }

        return new MeshProcess(program ?? Program("Mesh.Server"), id, port, Add(environment, settings));
    }

    public static async Task<MeshProcess> WorkerAsync(RedisFixture redis, string id, MeshProcess home, Dictionary<string, string>? settings = null, Dictionary<string, string>? environment = null) =>
        await WorkerAsync(redis, id, home.Id, home.Port, settings, environment);

    public static async Task<MeshProcess> WorkerAsync(RedisFixture redis, string id, string homeId, int homePort, Dictionary<string, string>? settings = null,
        Dictionary<string, string>? environment = null) =>
        Worker(await redis.ConnectionStringAsync(), id, homeId, homePort, settings, environment);

    /// <param name="program">The file of a worker of another version; null for the one that was built with the tests.</param>
    public static MeshProcess Worker(string redis, string id, string homeId, int homePort, Dictionary<string, string>? settings = null,
        Dictionary<string, string>? environment = null, string? program = null)
    {
        environment = new Dictionary<string, string>(environment ?? [])
        {
            ["Mesh__WorkerId"] = id,
            ["Mesh__HomeServer__Id"] = homeId,
            ["Mesh__HomeServer__Endpoint"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{homePort}"),
            ["ConnectionStrings__redis"] = redis,
        };
        return new MeshProcess(program ?? Program("Mesh.Worker"), id, 0, Add(environment, settings));
    }

    public async Task HealthyAsync() => await Eventually.GetAsync(
        $"{Id} is healthy",
        async () =>
        {
            try
            {
                using var response = await Http.GetAsync(new Uri("/health", UriKind.Relative));
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                return false;
            }
        },
        healthy => healthy,
        TimeSpan.FromSeconds(60),
        () => Output);

    public void Kill() => _process.Kill();

    /// <summary>Stops the process's execution, as the suspension of its machine does, until <see cref="Continue"/>.</summary>
    public void Pause() => Assert.Equal(0, SendSignal(_process.Id, Sigstop));

    public void Continue() => Assert.Equal(0, SendSignal(_process.Id, Sigcont));

    /// <summary>Waits until the process ends by itself, and returns its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).OrFailAsync($"the end of {Id}");
        return _process.ExitCode;
    }

    public async Task RestartAsync()
    {
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = Launch();
    }

    /// <summary>Sends SIGTERM, as a container platform does, and returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, SendSignal(_process.Id, Sigterm));
        return await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        Http.Dispose();
    }

    private static string Program(string name) =>
        typeof(MeshProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(program => program.Key == name).Value!;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int pid, int signal);

    private static Dictionary<string, string> Add(Dictionary<string, string> environment, Dictionary<string, string>? settings)
    {
        foreach (var (key, value) in settings ?? [])
        {
            environment[$"Mesh__{key}"] = value;
        }

        return environment;
    }

    private Process Launch()
    {
        var process = Process.Start(_start)!;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _output.Enqueue(line.Data);
        }
    }
}
