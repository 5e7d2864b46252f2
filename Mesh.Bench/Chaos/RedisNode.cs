using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;

namespace Mesh.Bench.Chaos;

/// <summary>One of the two Redis of a run: its process, the network before it, and what an operator does with it.</summary>
/// <param name="program">redis-server or valkey-server.</param>
/// <param name="directory">Its data, and its configuration: roles outlive a restart.</param>
/// <param name="primary">The port of the Redis whose replica it begins as; null for the one that begins as the primary.</param>
internal sealed class RedisNode(string program, string directory, int? primary, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FailOverLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private ConnectionMultiplexer? _operator;

    public int Port { get; } = PortAllocator.Next();

    public ChaosProcess Process { get; private set; } = null!;

    public TcpProxy Proxy { get; private set; } = null!;

    public static RedisNode Create(string name, ChaosPlan plan, int? primary, TimeProvider time)
    {
        var directory = Directory.CreateDirectory(Path.Combine(plan.Directory, name)).FullName;
        var node = new RedisNode(plan.Programs.Redis, directory, primary, time);
        node.Process = new ChaosProcess(name, node.Start(), plan.Directory, time);
        node.Proxy = new TcpProxy($"the network before {name}", PortAllocator.Next(), node.Port);
        return node;
    }

    /// <summary>Scripts and writes are answered with an error: for want of a right, or of memory.</summary>
    public Task RejectCommandsAsync(bool outOfMemory) =>
        outOfMemory ? ExecuteAsync("CONFIG", "SET", "maxmemory", "1") : ExecuteAsync("ACL", "SETUSER", "default", "-eval", "-evalsha");

    /// <summary>It was started anew meanwhile, perhaps: then it has forgotten.</summary>
    public async Task AcceptCommandsAsync()
    {
        await ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        await ExecuteAsync("ACL", "SETUSER", "default", "+@all");
    }

    /// <summary>Swaps the roles, as an operator does who loses nothing by it; leaves them when the other is not there or not up to date in time.</summary>
    public async Task FailOverAsync(RedisNode other)
    {
        var (from, to) = await IsPrimaryAsync() ? (this, other) : (other, this);
        if (!await from.ExecuteAsync("FAILOVER", "TO", "127.0.0.1", Text(to.Port), "TIMEOUT", Text((int)FailOverLimit.TotalMilliseconds)))
        {
            return;
        }

        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < FailOverLimit && !await to.IsPrimaryAsync())
        {
            await Task.Delay(Poll, time);
        }

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

    /// <summary>False when it is down, frozen, or refuses.</summary>
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

    // Not by way of the proxy: the operator is on the machine.
    private async Task<IDatabase> ConnectAsync()
    {
        _operator ??= await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Text(Port)},allowAdmin=true,abortConnect=false,asyncTimeout=2000,connectTimeout=2000");
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
