using Mesh.Protocol;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Storage;

/// <summary>Creates the stores of a test.</summary>
internal interface IStoreBackend
{
    /// <summary>Creates an empty database. The function returns the store of a server with that id, another one at each call.</summary>
    Task<Func<string, IMeshStore>> CreateAsync();

    /// <summary>Creates the store of server-a in an empty database, over a network that delays a write.</summary>
    Task<DelayedWrites> CreateLateAsync();
}

/// <param name="kind">The test is skipped when this kind is not installed. Null for any kind.</param>
internal sealed class RedisBackend(RedisFixture redis, RedisKind? kind = null) : IStoreBackend
{
    public static readonly TimeSpan Retention = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan Expiry = TimeSpan.FromMinutes(1);

    public async Task<Func<string, IMeshStore>> CreateAsync()
    {
        var database = await IsolatedAsync();
        return server => new RedisMeshStore(() => database, new ServerId(server), Retention, Expiry);
    }

    public async Task<DelayedWrites> CreateLateAsync() =>
        DelayedWrites.Over(await IsolatedAsync(), database => new RedisMeshStore(database, StoreOperations.Self, Retention, Expiry));

    private Task<StackExchange.Redis.IDatabase> IsolatedAsync()
    {
        if (kind is { } needed)
        {
            RedisProcess.SkipUnlessThere(needed);
        }

        return redis.Isolated();
    }
}

internal sealed class InMemoryBackend : IStoreBackend
{
    public Task<Func<string, IMeshStore>> CreateAsync()
    {
        var place = new InMemoryNamespace();
        return Task.FromResult<Func<string, IMeshStore>>(server => new InMemoryMeshStore(new ServerId(server), place));
    }

    public Task<DelayedWrites> CreateLateAsync()
    {
        var store = new InMemoryMeshStore();
        return Task.FromResult(new DelayedWrites(store, () => store.HoldsNext = true, store.ArriveAsync));
    }
}
