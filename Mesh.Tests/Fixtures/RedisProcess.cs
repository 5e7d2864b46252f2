using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Bench.Chaos;
using Mesh.Tests.Publishing;
using StackExchange.Redis;

namespace Mesh.Tests.Fixtures;

/// <summary>Which Redis.</summary>
internal enum RedisKind
{
    /// <summary>Any installed one, see <see cref="RedisProcess"/>.</summary>
    Any,
    Redis,
    Valkey,
    Garnet,
}

/// <summary>
/// A Redis process on a free loopback port. A test that stops or kills its Redis starts one of these.
/// It is a redis-server or valkey-server from the PATH, else Garnet, which the restore has fetched; the environment variable
/// MESH_TEST_REDIS names one of the three ("redis-server", "valkey-server", "garnet-server") to take that and no other.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private const string RedisServer = "redis-server";
    private const string ValkeyServer = "valkey-server";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _output = new();
    private readonly string _directory;
    private readonly RedisKind _kind;
    private readonly string[] _options;
    private Process _process;
    private bool _killed;

    private readonly string? _password;

    private RedisProcess(RedisKind kind, int port, string directory, string? password, string[] options)
    {
        Port = port;
        (_kind, _directory, _password, _options) = (kind, directory, password, options);
        _process = Launch();
    }

    public int Port { get; }

    /// <summary>For StackExchange.Redis and ConnectionStrings__redis.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}{(_password is null ? "" : $",password={_password}")}";

    public static Task<RedisProcess> StartAsync(CancellationToken cancellation = default) => StartAsync(RedisKind.Any, null, cancellation);

    /// <param name="password">The password that it requires; null for none.</param>
    public static Task<RedisProcess> StartAsync(string? password, CancellationToken cancellation = default) => StartAsync(RedisKind.Any, password, cancellation);

    internal static Task<RedisProcess> StartAsync(RedisKind kind, CancellationToken cancellation = default, params string[] options) =>
        StartAsync(kind, null, cancellation, options);

    /// <param name="options">Further options of its command line.</param>
    private static async Task<RedisProcess> StartAsync(RedisKind kind, string? password, CancellationToken cancellation, params string[] options)
    {
        var redis = new RedisProcess(kind, FreePort(), Directory.CreateTempSubdirectory("mesh-redis-").FullName, password, options);
        try
        {
            await redis.AnswersAsync(cancellation);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the process, as a crash does.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _killed = true;
    }

    /// <summary>Stops the process's execution until <see cref="Continue"/>. Its clients get no answers.</summary>
    internal void Pause() => PosixSignals.Send(_process.Id, PosixSignals.Stop);

    internal void Continue() => PosixSignals.Send(_process.Id, PosixSignals.Continue);

    /// <summary>Starts it again on the same port after <see cref="KillAsync"/>. It is empty then.</summary>
    public async Task RestartAsync(CancellationToken cancellation = default)
    {
        _process = Launch();
        _killed = false;
        await AnswersAsync(cancellation);
    }

    /// <summary>The same, and waits until the connection takes commands again.</summary>
    internal async Task RestartAsync(ConnectionMultiplexer connection, CancellationToken cancellation)
    {
        var back = new TaskCompletionSource();
        connection.ConnectionRestored += (_, restored) =>
        {
            // The connection for subscriptions may be restored first and does not count.
            if (restored.ConnectionType == ConnectionType.Interactive)
            {
                back.TrySetResult();
            }
        };
        await RestartAsync(cancellation);
        await back.Task.WaitAsync(StartLimit, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_killed)
        {
            await KillAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    internal static int FreePort() => PortAllocator.Next();

    private Process Launch()
    {
        var (file, arguments) = Command(_kind, Port, _password);
        var start = new ProcessStartInfo(file, [.. arguments, .. _options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The working directory, where Redis writes its files.
            WorkingDirectory = _directory,
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            if (_output.Length < 8192)
            {
                _output.AppendLine(line.Data);
            }
        }
    }

    private static (string File, string[] Arguments) Command(RedisKind kind, int port, string? password)
    {
        var asked = Environment.GetEnvironmentVariable("MESH_TEST_REDIS");
        string[] native = ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. password is null ? [] : new[] { "--requirepass", password }];
        string[] garnet = ["exec", BuildOutput.Garnet, "--port", $"{port}", "--bind", "127.0.0.1", "--lua", "--lua-transaction-mode", "--device-type", "RandomAccess", .. password is null ? [] : new[] { "--auth", "Password", "--password", password }];
        return kind switch
        {
            RedisKind.Redis => (RedisServer, native),
            RedisKind.Valkey => (ValkeyServer, native),
            RedisKind.Any when new[] { RedisServer, ValkeyServer }.FirstOrDefault(name => asked is null ? IsOnPath(name) : asked == name) is { } found => (found, native),
            RedisKind.Any or RedisKind.Garnet => ("dotnet", garnet),
            _ => throw new InvalidOperationException($"Unknown kind {kind}."),
        };
    }

    /// <summary>Skips the current test where this kind is not installed.</summary>
    internal static void SkipUnlessThere(RedisKind kind) => Assert.SkipUnless(
        kind switch
        {
            RedisKind.Redis => IsOnPath(RedisServer),
            RedisKind.Valkey => IsOnPath(ValkeyServer),
            RedisKind.Any or RedisKind.Garnet => true,
            _ => throw new InvalidOperationException($"Unknown kind {kind}."),
        },
        $"There is no {kind} on the PATH.");

    private static bool IsOnPath(string name) => ExecutableFinder.Find(name) is not null;

    private async Task AnswersAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartLimit);
        while (!await PingAsync(limit.Token))
        {
            if (_process.HasExited || limit.IsCancellationRequested)
            {
                lock (_output)
                {
                    throw new InvalidOperationException(
                        $"Waited for {_process.StartInfo.FileName} on port {Port} to answer PING. It {(_process.HasExited ? "ended" : "was silent")} and had said: {_output}");
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellation);
        }
    }

    private async Task<bool> PingAsync(CancellationToken cancellation)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellation);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), cancellation);
            var reply = new byte[5];
            await stream.ReadExactlyAsync(reply, cancellation);

            // An error that asks for a password is an answer, too.
            return reply.AsSpan().SequenceEqual("+PONG"u8) || reply.AsSpan().SequenceEqual("-NOAU"u8);
        }
        catch (Exception fault) when (fault is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
