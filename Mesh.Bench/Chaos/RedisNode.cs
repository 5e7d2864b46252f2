using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;

namespace Mesh.Bench.Chaos;

/// <summary>One of the two Redis nodes of a run: its process, its proxy and the commands of an operator.</summary>
/// <param name="program">The path of redis-server or valkey-server.</param>
/// <param name="directory">The directory of its data and its configuration file. The file keeps the node's role over a restart.</param>
/// <param name="primary">The port of the primary when the node starts as a replica; null when it starts as the primary.</param>
internal sealed class RedisNode(string program, string directory, int? primary) : IAsyncDisposable
{
    private static readonly TimeSpan FailOverLimit = TimeSpan.FromSeconds(3);

    /// <summary>How long a command may take. Longer than a failover, which delays PUBLISH.</summary>
    private static readonly TimeSpan CommandTimeout = FailOverLimit + TimeSpan.FromSeconds(1);

    private ConnectionMultiplexer? _operator;

    public int Port { get; } = PortAllocator.Next();

    public ChaosProcess Process { get; private set; } = null!;

    public TcpProxy Proxy { get; private set; } = null!;

    public static RedisNode Create(string name, ChaosPlan plan, int? primary, TimeProvider time)
    {
        var directory = Directory.CreateDirectory(Path.Combine(plan.Directory, name)).FullName;
        var node = new RedisNode(plan.Programs.Redis, directory, primary);
        node.Process = new ChaosProcess(name, node.Start(), plan.Directory, time);
        node.Proxy = new TcpProxy($"the network of {name}", PortAllocator.Next(), node.Port);
        return node;
    }

    /// <summary>Makes Redis answer scripts and writes with an error: OOM, or NOPERM.</summary>
    public Task RejectCommandsAsync(bool outOfMemory) =>
        outOfMemory ? ExecuteAsync("CONFIG", "SET", "maxmemory", "1") : ExecuteAsync("ACL", "SETUSER", "default", "-eval", "-evalsha");

    /// <summary>Ends <see cref="RejectCommandsAsync"/>. A restart of Redis ends it too.</summary>
    public async Task AcceptCommandsAsync()
    {
        await ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        await ExecuteAsync("ACL", "SETUSER", "default", "+@all");
    }

    /// <summary>Exchanges the roles of the two nodes without data loss (FAILOVER). The roles stay when the other node is unavailable or does not catch up in time.</summary>
    public async Task FailOverAsync(RedisNode other)
    {
        var (from, to) = await IsPrimaryAsync() ? (this, other) : (other, this);
        if (!await from.ExecuteAsync("FAILOVER", "TO", "127.0.0.1", Text(to.Port), "TIMEOUT", Text((int)FailOverLimit.TotalMilliseconds)))
        {
            return;
        }

        // FAILOVER returns before the roles change. Until they have changed, or the failover has ended otherwise, the primary delays writes and PUBLISH.
        await from.ExecuteAsync("PUBLISH", "failover", "");
        await from.ExecuteAsync("CONFIG", "REWRITE");
        await to.ExecuteAsync("CONFIG", "REWRITE");
    }

    public async ValueTask DisposeAsync()
    {
        if (_operator is not null)
        {
            await _operator.DisposeAsync();
        }
    }

    private async Task<bool> IsPrimaryAsync()
    {
        try
        {
            return (string?)((RedisResult[]?)await (await ConnectAsync()).ExecuteAsync("ROLE"))?[0] == "master";
        }
        catch (RedisException)
        {
            return false;
        }
    }

    /// <summary>Runs a command. Returns false when Redis is down, frozen or answers with an error.</summary>
    private async Task<bool> ExecuteAsync(string command, params object[] arguments)
    {
        try
        {
            await (await ConnectAsync()).ExecuteAsync(command, arguments);
            return true;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    // Connects directly, not through the proxy, so that faults of the network do not affect the operator.
    private async Task<IDatabase> ConnectAsync()
    {
        _operator ??= await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Text(Port)},allowAdmin=true,abortConnect=false,asyncTimeout={Text((int)CommandTimeout.TotalMilliseconds)},connectTimeout=2000");
        return _operator.GetDatabase();
    }

    private ProcessStartInfo Start()
    {
        var file = Path.Combine(directory, "redis.conf");
        File.WriteAllLines(file,
        [
            $"port {Text(Port)}", "bind 127.0.0.1", "save \"\"", "appendonly yes", "appendfsync everysec", $"dir {directory}", "repl-diskless-sync-delay 0",
            .. primary is { } port ? new[] { $"replicaof 127.0.0.1 {Text(port)}" } : [],
        ]);
        return new(program, [file]);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
