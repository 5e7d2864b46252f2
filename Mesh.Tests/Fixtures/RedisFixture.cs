using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

[assembly: AssemblyFixture(typeof(RedisFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(ValkeyFixture))]

namespace Mesh.Tests.Fixtures;

/// <summary>
/// The Redis that all tests of the run share, as a constructor parameter of the test class. It is started at its first use.
/// Tests use separate keys by <see cref="Isolated"/> or, where other processes write, separate ids by <see cref="Unique"/>.
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

    /// <summary>Returns a database that adds a unique prefix to each key.</summary>
    public async Task<IDatabase> Isolated() => (await _redis.Value).Connection.GetDatabase().WithKeyPrefix(Unique("test") + "/");

    /// <summary>Returns a name that is unique in this run: "server-a" becomes "server-a-17".</summary>
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

/// <summary>The Garnet that all tests of the run share.</summary>
public sealed class GarnetFixture() : RedisFixture(RedisKind.Garnet);

/// <summary>The Valkey that all tests of the run share. Its tests are skipped where it is not on the PATH.</summary>
public sealed class ValkeyFixture() : RedisFixture(RedisKind.Valkey);
