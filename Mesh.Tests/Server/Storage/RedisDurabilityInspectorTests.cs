using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Server.Storage;

[Trait("Speed", "Slow")]
public sealed class RedisDurabilityInspectorTests(GarnetFixture garnet, ValkeyFixture valkey)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("noeviction", "20mb", nameof(StoreEviction.None))]
    [InlineData("allkeys-lru", "20mb", nameof(StoreEviction.Possible))]
    [InlineData("volatile-ttl", "20mb", nameof(StoreEviction.Possible))]
    [InlineData("allkeys-lru", "0", nameof(StoreEviction.None))]
    public async Task Inspect_Policy_ReturnsWhetherKeysCanBeEvicted(string policy, string limit, string eviction)
    {
        await using var redis = await StartAsync("--maxmemory", limit, "--maxmemory-policy", policy);

        var found = await InspectAsync(redis);

        Assert.Equal(eviction, found.Eviction.ToString());
        Assert.Equal(found.Eviction == StoreEviction.Possible ? "maxmemory-policy is " + policy + " and maxmemory is 20971520" : "", found.EvictionSettings);
    }

    [Theory]
    [InlineData("no", "", nameof(StorePersistence.None))]
    [InlineData("no", "3600 1", nameof(StorePersistence.Snapshots))]
    [InlineData("yes", "", nameof(StorePersistence.AppendOnlyFile))]
    public async Task Inspect_Persistence_ReturnsItsSettings(string log, string save, string persistence)
    {
        await using var redis = await StartAsync("--appendonly", log, "--save", save);

        Assert.Equal(persistence, (await InspectAsync(redis)).Persistence.ToString());
    }

    [Theory]
    [InlineData("-config", nameof(StoreEviction.Possible), nameof(StorePersistence.Unknown))]
    [InlineData("-info", nameof(StoreEviction.Possible), nameof(StorePersistence.None))]
    [InlineData("-@dangerous", nameof(StoreEviction.Unknown), nameof(StorePersistence.Unknown))]
    public async Task Inspect_NotPermitted_ReturnsReadableSettings(string rights, string eviction, string persistence)
    {
        await using var redis = await StartAsync("--maxmemory", "20mb", "--maxmemory-policy", "volatile-lru");
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await connection.GetServers().Single().ExecuteAsync("ACL", "SETUSER", "default", rights);

        var found = await new RedisDurabilityInspector(() => connection).InspectAsync(Stop);

        Assert.Equal((eviction, persistence), (found.Eviction.ToString(), found.Persistence.ToString()));
    }

    [Fact]
    public async Task Inspect_Garnet_HasNoPolicy()
    {
        var connection = await garnet.ConnectionAsync();

        Assert.Equal(new StoreDurability(StoreEviction.None, "", StorePersistence.None), await new RedisDurabilityInspector(() => connection).InspectAsync(Stop));
    }

    [Fact]
    public async Task Inspect_Valkey_IsReadAsRedis()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Valkey);
        var connection = await valkey.ConnectionAsync();

        Assert.Equal(new StoreDurability(StoreEviction.None, "", StorePersistence.None), await new RedisDurabilityInspector(() => connection).InspectAsync(Stop));
    }

    [Fact]
    public async Task Inspect_RedisUnreachable_IsUnavailable()
    {
        await using var redis = await StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",syncTimeout=500,asyncTimeout=500");
        var inspector = new RedisDurabilityInspector(() => connection);
        await inspector.InspectAsync(Stop);
        await redis.KillAsync();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => inspector.InspectAsync(Stop));

        var reconnected = new TaskCompletionSource();
        inspector.Reconnected += () => reconnected.TrySetResult();
        await redis.RestartAsync(Stop);
        await reconnected.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);
    }

    private static Task<RedisProcess> StartAsync(params string[] options)
    {
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        return RedisProcess.StartAsync(RedisKind.Redis, Stop, options);
    }

    private static async Task<StoreDurability> InspectAsync(RedisProcess redis)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        return await new RedisDurabilityInspector(() => connection).InspectAsync(Stop);
    }
}
