using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using static Mesh.Tests.Storage.StoreSteps;

namespace Mesh.Tests.Storage;

/// <summary>A Redis that holds less than it has acknowledged.</summary>
public abstract class StoreWentBackContract
{
    private static readonly ServerId Other = new("server-b");

    /// <summary>An empty database.</summary>
    protected abstract Task<IDatabase> CreateAsync();

    [Fact]
    public async Task Write_IsRefusedUntilItIsLoaded()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        var memory = await StoreMemory.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));

        await memory.GoBackAsync(redis, "mesh:{server-a}:result:t1");

        await Assert.ThrowsAsync<StoreWentBackException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t3"))));
        await Assert.ThrowsAsync<StoreWentBackException>(() => WriteAsync(store));
        Assert.Equal("t1", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).Id);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, Task("t2")));
        Assert.Equal(["t1", "t2"], (await store.LoadAsync(Self, Stop)).Tasks.Select(task => task.Id).Order());
    }

    [Fact]
    public async Task Write_AfterALoadThatFailedHalfWay_IsRefused()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        var memory = await StoreMemory.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        await memory.GoBackAsync(redis);
        await redis.HashSetAsync("mesh:{server-a}:loans", "w1", "no loan");
        await Assert.ThrowsAsync<StoreWentBackException>(() => WriteAsync(store));

        await Assert.ThrowsAsync<InvalidDataException>(() => store.LoadAsync(Self, Stop));

        await Assert.ThrowsAsync<StoreWentBackException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2"))));
        await redis.KeyDeleteAsync("mesh:{server-a}:loans");
        await store.LoadAsync(Self, Stop);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));
    }

    [Fact]
    public async Task Renew_SaysSoUntilItIsLoaded()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        var memory = await StoreMemory.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        Assert.Equal(ClaimState.Held, await store.RenewAsync(Self, Stop));

        await memory.GoBackAsync(redis);

        Assert.Equal(ClaimState.WentBack, await store.RenewAsync(Self, Stop));
        await store.LoadAsync(Self, Stop);
        Assert.Equal(ClaimState.Held, await store.RenewAsync(Self, Stop));
    }

    [Fact]
    public async Task Load_ByTheLaterHolder_FencesTheEarlierOneAnew()
    {
        var redis = await CreateAsync();
        var first = await ServingAsync(redis, Self, "first");
        await WriteAsync(first, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        var memory = await StoreMemory.OfAsync(redis, "server-a");
        await first.ReleaseAsync(Self, Stop);
        var second = await ServingAsync(redis, Self, "second");

        await memory.GoBackAsync(redis);

        Assert.Equal(ClaimState.WentBack, await second.RenewAsync(Self, Stop));
        Assert.Single((await second.LoadAsync(Self, Stop)).Tasks);
        Assert.Equal(ClaimState.Held, await second.RenewAsync(Self, Stop));
        await WriteAsync(second, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")));
    }

    [Fact]
    public async Task Adopter_LosesTheClaimAndTakesItAnew()
    {
        var redis = await CreateAsync();
        var owner = await ServingAsync(redis, Self, "owner");
        await WriteAsync(owner, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));
        await owner.ReleaseAsync(Self, Stop);
        var adopter = await ServingAsync(redis, Other, "adopter");
        await ClaimAsync(adopter, Self, "adopter", "server-b");
        var adopted = (await adopter.LoadAsync(Self, Stop)).Tasks.ToDictionary(task => task.Id);
        var memory = await StoreMemory.OfAsync(redis, "server-a");
        await WriteAsync(adopter, StoreOp.Of(StoreOpKind.SettleTask, adopted["t1"]));

        await memory.GoBackAsync(redis, "mesh:{server-a}:result:t1");

        await WriteAsync(adopter, StoreOp.Of(StoreOpKind.SettleTask, adopted["t2"]));
        Assert.Equal(ClaimState.Lost, await adopter.RenewAsync(Self, Stop));
        await ClaimAsync(adopter, Self, "adopter", "server-b");
        Assert.Equal(2, (await adopter.LoadAsync(Self, Stop)).Tasks.Count);
    }

    private static async Task<RedisMeshStore> ServingAsync(IDatabase redis, ServerId server, string instance)
    {
        var store = new RedisMeshStore(() => redis, server, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1));
        await ClaimAsync(store, server, instance, server.Value);
        await store.LoadAsync(server, Stop);
        return store;
    }
}

public sealed class RedisWentBackTests(RedisFixture redis) : StoreWentBackContract
{
    protected override Task<IDatabase> CreateAsync() => redis.Isolated();
}

public sealed class GarnetWentBackTests(GarnetFixture garnet) : StoreWentBackContract
{
    protected override Task<IDatabase> CreateAsync() => garnet.Isolated();
}
