using System.Diagnostics;
using StackExchange.Redis;

namespace Mesh.Tests.Fixtures;

/// <summary>A Redis Sentinel process that monitors a primary, on a free loopback port.</summary>
internal sealed class SentinelProcess : IAsyncDisposable
{
    public const string ServiceName = "mesh-redis";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-sentinel-").FullName;
    private Process? _process;

    private SentinelProcess(RedisProcess primary)
    {
        Port = RedisProcess.FreePort();

        // Sentinel writes its state to this file.
        File.WriteAllLines(
            Configuration,
            [
                $"port {Port}",
                "bind 127.0.0.1",
                $"dir {_directory}",
                $"sentinel monitor {ServiceName} 127.0.0.1 {primary.Port} 1",
                $"sentinel down-after-milliseconds {ServiceName} 500",
                $"sentinel failover-timeout {ServiceName} 3000",
            ]);
    }

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port},serviceName={ServiceName}";

    private string Configuration => Path.Combine(_directory, "sentinel.conf");

    /// <summary>Creates one without starting it.</summary>
    public static SentinelProcess Of(RedisProcess primary) => new(primary);

    /// <summary>Starts it and waits until it knows a replica, to which it could fail over.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        _process = Process.Start(new ProcessStartInfo("redis-server", [Configuration, "--sentinel"]) { RedirectStandardOutput = true })!;
        _process.BeginOutputReadLine();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartLimit);
        while (!await KnowsReplicaAsync())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }

    public async Task<object> ExecuteAsync(params string[] command)
    {
        await using var connection = await ConnectAsync();
        return await connection.GetServers().Single().ExecuteAsync(command[0], [.. command.Skip(1)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> KnowsReplicaAsync()
    {
        try
        {
            await using var connection = await ConnectAsync();
            return (await connection.GetServers().Single().SentinelReplicasAsync(ServiceName)).Length > 0;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    private Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.SentinelConnectAsync(new ConfigurationOptions { EndPoints = { $"127.0.0.1:{Port}" }, ServiceName = ServiceName });
}
