using Mesh.Protocol;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Storage;

/// <summary>Where stores are kept.</summary>
internal interface IStoreBackend
{
    /// <summary>An empty place; gives the store of a server of that id in it, or of a further process of the same id.</summary>
    /// <param name="expiry">Of a claim, where claims expire; null for longer than a test takes.</param>
    Task<Func<string, IMeshStore>> CreateAsync(TimeSpan? expiry = null);

    /// <summary>The store of server-a in an empty place, over a network that holds up a write.</summary>
    Task<DelayedWrites> CreateLateAsync();
}

/// <param name="kind">What it must be, else the test is skipped where that is not there.</param>
internal sealed class RedisBackend(RedisFixture redis, RedisKind? kind = null) : IStoreBackend
{
    public static readonly TimeSpan Retention = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan Expiry = TimeSpan.FromMinutes(1);

    public async Task<Func<string, IMeshStore>> CreateAsync(TimeSpan? expiry = null)
    {
        var database = await IsolatedAsync();
        return server => new RedisMeshStore(() => database, new ServerId(server), Retention, expiry ?? Expiry);
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
    public Task<Func<string, IMeshStore>> CreateAsync(TimeSpan? expiry = null)
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
