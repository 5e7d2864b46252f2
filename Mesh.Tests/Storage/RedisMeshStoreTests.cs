using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Storage;

public sealed class RedisMeshStoreTests(RedisFixture redis) : MeshStoreContract
{
    private static readonly TimeSpan Retention = TimeSpan.FromMinutes(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected override async Task<IMeshStore> CreateAsync()
    {
        var database = await redis.Isolated();
        return new RedisMeshStore(() => database, new ServerId("server-a"), Retention);
    }

    [Fact]
    public async Task Settle_Result_ExpiresAfterTheRetention()
    {
        var database = await redis.Isolated();
        var store = new RedisMeshStore(() => database, new ServerId("server-a"), Retention);
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 1);
        await store.WriteAsync(Batch(StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.SettleTask, task)), Stop);

        var left = await database.KeyTimeToLiveAsync("mesh:{server-a}:result:t1");
        Assert.InRange(left!.Value, Retention - TimeSpan.FromMinutes(1), Retention);
    }

    [Fact]
    public async Task Load_RecordThatIsNone_NamesTheKey()
    {
        var database = await redis.Isolated();
        await database.HashSetAsync("mesh:{server-a}:tasks", "t1", "{\"id\":17}");

        var fault = await Assert.ThrowsAsync<InvalidDataException>(() =>
            new RedisMeshStore(() => database, new ServerId("server-a"), Retention).LoadAsync(Stop));
        Assert.Contains("mesh:{server-a}:tasks", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyCall_StoreKilled_IsAwayThenWorksAgain()
    {
        await using var own = await RedisProcess.StartAsync(Stop);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(own.ConnectionString + ",abortConnect=false,asyncTimeout=1000,syncTimeout=1000");
        var store = new RedisMeshStore(() => connection.GetDatabase(), new ServerId("server-a"), Retention);
        await store.LoadAsync(Stop);
        await store.WriteAsync(Batch(StoreOp.Of(StoreOpKind.DropTask, new TaskRecord("t0", new TaskId("t0"), TaskType.Query, "maria", Amount: null, Sequence: 0))), Stop);
        await own.KillAsync();

        await Assert.ThrowsAsync<StoreAwayException>(() => store.LoadAsync(Stop));
        await Assert.ThrowsAsync<StoreAwayException>(() => store.FindSettledAsync("t1", Stop));
        await Assert.ThrowsAsync<StoreAwayException>(() => store.ListDeadAsync(10, Stop));
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 1);
        await Assert.ThrowsAsync<StoreAwayException>(() => store.WriteAsync(Batch(StoreOp.Of(StoreOpKind.AcceptTask, task)), Stop));

        var back = new TaskCompletionSource();
        connection.ConnectionRestored += (_, _) => back.TrySetResult();
        await own.RestartAsync(Stop);
        await back.Task.WaitAsync(TimeSpan.FromSeconds(30), Stop);

        // The restarted store does not know the script.
        Assert.Empty(await store.WriteAsync(Batch(StoreOp.Of(StoreOpKind.AcceptTask, task)), Stop));
    }

    private static StoreBatch Batch(params StoreOp[] ops)
    {
        var batch = new StoreBatch();
        batch.Ops.AddRange(ops);
        return batch;
    }
}
