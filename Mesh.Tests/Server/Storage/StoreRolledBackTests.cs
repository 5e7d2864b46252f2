using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>A Redis that has lost writes which it had acknowledged.</summary>
public abstract class StoreRolledBackContract
{
    private static readonly ServerId Other = new("server-b");

    /// <summary>An empty database.</summary>
    protected abstract Task<IDatabase> CreateAsync();

    [Fact]
    public async Task Write_RolledBack_IsRefusedUntilLoaded()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        var memory = await StoreSnapshot.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));

        await memory.RestoreAsync(redis, "mesh:{server-a}:result:t1");

        await Assert.ThrowsAsync<StoreRolledBackException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t3"))));
        await Assert.ThrowsAsync<StoreRolledBackException>(() => WriteAsync(store));
        Assert.Equal("t1", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).Id);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, Task("t2")));
        Assert.Equal(["t1", "t2"], (await store.LoadAsync(Self, Stop)).Tasks.Select(task => task.Id).Order());
    }

    [Fact]
    public async Task Write_AfterPartialLoad_IsRefused()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        var memory = await StoreSnapshot.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        await memory.RestoreAsync(redis);
        await redis.HashSetAsync("mesh:{server-a}:loans", "w1", "no loan");
        await Assert.ThrowsAsync<StoreRolledBackException>(() => WriteAsync(store));

        await Assert.ThrowsAsync<InvalidDataException>(() => store.LoadAsync(Self, Stop));

        await Assert.ThrowsAsync<StoreRolledBackException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2"))));
        await redis.KeyDeleteAsync("mesh:{server-a}:loans");
        await store.LoadAsync(Self, Stop);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));
    }

    [Fact]
    public async Task Renew_RolledBack_IsReportedUntilLoaded()
    {
        var redis = await CreateAsync();
        var store = await ServingAsync(redis, Self, "self");
        var memory = await StoreSnapshot.OfAsync(redis, "server-a");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        Assert.Equal(ServerLeaseRenewStatus.Held, await store.RenewLeaseAsync(Self, Stop));

        await memory.RestoreAsync(redis);

        Assert.Equal(ServerLeaseRenewStatus.StoreRolledBack, await store.RenewLeaseAsync(Self, Stop));
        await store.LoadAsync(Self, Stop);
        Assert.Equal(ServerLeaseRenewStatus.Held, await store.RenewLeaseAsync(Self, Stop));
    }

    [Fact]
    public async Task Load_LaterHolder_FencesTheEarlierOneAgain()
    {
        var redis = await CreateAsync();
        var first = await ServingAsync(redis, Self, "first");
        await WriteAsync(first, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));
        var memory = await StoreSnapshot.OfAsync(redis, "server-a");

        // The first holder is not told that the second one has taken its claim.
        var second = NewStore(redis, Self);
        var held = await second.AcquireLeaseAsync(Self, Holder("second"), gone: null, Stop);
        Assert.Equal(ServerLeaseAcquireStatus.Acquired, (await second.AcquireLeaseAsync(Self, Holder("second"), held.FencingToken, Stop)).Result);
        await second.LoadAsync(Self, Stop);

        await memory.RestoreAsync(redis);

        Assert.Equal(ServerLeaseRenewStatus.StoreRolledBack, await second.RenewLeaseAsync(Self, Stop));
        Assert.Single((await second.LoadAsync(Self, Stop)).Tasks);
        Assert.Equal(ServerLeaseRenewStatus.Held, await second.RenewLeaseAsync(Self, Stop));
        await WriteAsync(second, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")));

        await Assert.ThrowsAsync<ServerLeaseLostException>(() => WriteAsync(first, StoreOp.Of(StoreOpKind.AcceptTask, Task("t9"))));
        await Assert.ThrowsAsync<ServerLeaseLostException>(() => first.RenewLeaseAsync(Self, Stop));
        Assert.Empty((await second.LoadAsync(Self, Stop)).Tasks);
    }

    [Fact]
    public async Task Adopter_RolledBack_LosesTheLeaseAndAcquiresItAgain()
    {
        var redis = await CreateAsync();
        var owner = await ServingAsync(redis, Self, "owner");
        await WriteAsync(owner, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));
        await owner.ReleaseLeaseAsync(Self, Stop);
        var adopter = await ServingAsync(redis, Other, "adopter");
        await AcquireLeaseAsync(adopter, Self, "adopter", "server-b");
        var adopted = (await adopter.LoadAsync(Self, Stop)).Tasks.ToDictionary(task => task.Id);
        var memory = await StoreSnapshot.OfAsync(redis, "server-a");
        await WriteAsync(adopter, StoreOp.Of(StoreOpKind.SettleTask, adopted["t1"]));

        await memory.RestoreAsync(redis, "mesh:{server-a}:result:t1");

        await WriteAsync(adopter, StoreOp.Of(StoreOpKind.SettleTask, adopted["t2"]));
        Assert.Equal(ServerLeaseRenewStatus.Lost, await adopter.RenewLeaseAsync(Self, Stop));
        await AcquireLeaseAsync(adopter, Self, "adopter", "server-b");
        Assert.Equal(2, (await adopter.LoadAsync(Self, Stop)).Tasks.Count);
    }

    private static async Task<RedisMeshStore> ServingAsync(IDatabase redis, ServerId server, string instance)
    {
        var store = NewStore(redis, server);
        await AcquireLeaseAsync(store, server, instance, server.Value);
        await store.LoadAsync(server, Stop);
        return store;
    }

    private static RedisMeshStore NewStore(IDatabase redis, ServerId server) => new(() => redis, server, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1));
}

[Trait("Speed", "Slow")]
public sealed class RedisRolledBackTests(RedisFixture redis) : StoreRolledBackContract
{
    protected override Task<IDatabase> CreateAsync() => redis.Isolated();
}

[Trait("Speed", "Slow")]
public sealed class GarnetRolledBackTests(GarnetFixture garnet) : StoreRolledBackContract
{
    protected override Task<IDatabase> CreateAsync() => garnet.Isolated();
}
