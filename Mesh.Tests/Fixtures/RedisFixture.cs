using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

[assembly: AssemblyFixture(typeof(RedisFixture))]

namespace Mesh.Tests.Fixtures;

/// <summary>
/// The Redis that all tests of the run share; take it as a constructor parameter of the test class. Started at first use.
/// Tests keep apart by <see cref="Isolated"/> or, where processes of their own write, by ids from <see cref="Unique"/>.
/// </summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private static int _counter;

    private readonly Lazy<Task<(RedisProcess Process, ConnectionMultiplexer Connection)>> _redis = new(StartAsync);

    public async Task<string> ConnectionStringAsync() => (await _redis.Value).Process.ConnectionString;

    public async Task<IConnectionMultiplexer> ConnectionAsync() => (await _redis.Value).Connection;

    /// <summary>A database in which every key gets a prefix of its own.</summary>
    public async Task<IDatabase> Isolated() => (await _redis.Value).Connection.GetDatabase().WithKeyPrefix(Unique("test") + "/");

    /// <summary>A name that nobody else in this run has: "server-a" becomes "server-a-17".</summary>
    public static string Unique(string name) => $"{name}-{Interlocked.Increment(ref _counter)}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_redis.IsValueCreated)
        {
            var (process, connection) = await _redis.Value;
            await connection.DisposeAsync();
            await process.DisposeAsync();
        }
    }

    private static async Task<(RedisProcess Process, ConnectionMultiplexer Connection)> StartAsync()
    {
        var process = await RedisProcess.StartAsync();
        return (process, await ConnectionMultiplexer.ConnectAsync(process.ConnectionString));
    }
}
