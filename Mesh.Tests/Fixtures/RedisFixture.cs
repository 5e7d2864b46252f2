using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

[assembly: AssemblyFixture(typeof(RedisFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(ValkeyFixture))]

namespace Mesh.Tests.Fixtures;

/// <summary>
/// The Redis that all tests of the run share; take it as a constructor parameter of the test class. Started at first use.
/// Tests keep apart by <see cref="Isolated"/> or, where processes of their own write, by ids from <see cref="Unique"/>.
/// </summary>
public class RedisFixture : IAsyncLifetime
{
    private static int _counter;

    private readonly Lazy<Task<(RedisProcess Process, ConnectionMultiplexer Connection)>> _redis;

    public RedisFixture()
        : this(RedisKind.Any)
    {
    }

    private protected RedisFixture(RedisKind kind) => _redis = new(() => StartAsync(kind));

    public async Task<string> ConnectionStringAsync() => (await _redis.Value).Process.ConnectionString;

    public async Task<IConnectionMultiplexer> ConnectionAsync() => (await _redis.Value).Connection;

    /// <summary>A database in which every key gets a prefix of its own.</summary>
    public async Task<IDatabase> Isolated() => (await _redis.Value).Connection.GetDatabase().WithKeyPrefix(Unique("test") + "/");

    /// <summary>A name that nobody else in this run has: "server-a" becomes "server-a-17".</summary>
    public static string Unique(string name) => $"{name}-{Interlocked.Increment(ref _counter)}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_redis.IsValueCreated)
        {
            var (process, connection) = await _redis.Value;
            await connection.DisposeAsync();
            await process.DisposeAsync();
        }
    }

    private static async Task<(RedisProcess Process, ConnectionMultiplexer Connection)> StartAsync(RedisKind kind)
    {
        var process = await RedisProcess.StartAsync(kind);
        return (process, await ConnectionMultiplexer.ConnectAsync(process.ConnectionString));
    }
}

/// <summary>The Garnet that all tests of the run share which must pass on it.</summary>
public sealed class GarnetFixture() : RedisFixture(RedisKind.Garnet);

/// <summary>The same with Valkey, where it is on the PATH.</summary>
public sealed class ValkeyFixture() : RedisFixture(RedisKind.Valkey);
