using System.Text.Json.Nodes;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using StackExchange.Redis;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

[Trait("Speed", "Slow")]
public sealed class RedisStoreLeaseTests(RedisFixture redis) : StoreServerLeaseContract(new RedisBackend(redis));

[Trait("Speed", "Slow")]
public sealed class RedisFollowUpStoreTests(RedisFixture redis) : FollowUpStoreContract(new RedisBackend(redis));

[Trait("Speed", "Slow")]
public sealed class RedisDeadLetterStoreTests(RedisFixture redis) : DeadLetterStoreContract(new RedisBackend(redis));

[Trait("Speed", "Slow")]
public sealed class RedisScheduleStoreTests(RedisFixture redis) : ScheduleStoreContract(new RedisBackend(redis));

[Trait("Speed", "Slow")]
public sealed class RedisMeshStoreTests(RedisFixture redis) : MeshStoreContract(new RedisBackend(redis))
{
    [Fact]
    public async Task Settle_Result_ExpiresAfterTheRetention()
    {
        var database = await redis.Isolated();
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");
        var task = Task("t1");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.SettleTask, task));

        var left = await database.KeyTimeToLiveAsync("mesh:{server-a}:result:t1");
        Assert.InRange(left!.Value, RedisBackend.Retention - TimeSpan.FromMinutes(1), RedisBackend.Retention);
    }

    [Fact]
    public async Task Load_DeadLettersWithoutAnIndex_BuildsIt()
    {
        var database = await redis.Isolated();
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");
        TaskRecord[] tasks = [.. Enumerable.Range(0, 1_500).Select(i => Task($"t{i}", sequence: i))];
        await WriteAsync(store, [.. tasks.Select(task => StoreOp.Of(StoreOpKind.AcceptTask, task)), .. tasks.Select(task => StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task))]);
        await database.KeyDeleteAsync("mesh:{server-a}:dead-index");
        Assert.Empty(await store.ListDeadAsync(10, Stop));

        await store.LoadAsync(Self, Stop);

        Assert.Equal(["t0", "t1", "t2"], (await store.ListDeadAsync(3, Stop)).Select(task => task.Id));
        Assert.Equal("t1499", Assert.Single(await store.FindLastDeadAsync(Stop)).Id);
    }

    [Fact]
    public async Task Load_InvalidRecord_NamesTheKey()
    {
        var database = await redis.Isolated();
        await database.HashSetAsync("mesh:{server-a}:tasks", "t1", "{\"id\":17}");

        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");

        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => store.LoadAsync(Self, Stop));
        Assert.Contains("mesh:{server-a}:tasks", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tasks", "type", "3")]
    [InlineData("tasks", "state", "0")]
    [InlineData("loans", "role", "7")]
    [InlineData("loans", "state", "256")]
    public async Task Load_RecordOfALaterVersion_NamesTheKey(string hash, string field, string value)
    {
        var database = await redis.Isolated();
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");
        var loan = new LoanRecord(new WorkerId("w1"), LoanRole.Owner, Self, LoanState.Lent, default, default);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")),
                StoreOp.Of(StoreOpKind.PutLoan, loan));
        var key = $"mesh:{{server-a}}:{hash}";
        var entry = Assert.Single(await database.HashGetAllAsync(key));
        var record = JsonNode.Parse(entry.Value.ToString())!;
        record[field] = JsonNode.Parse(value);
        await database.HashSetAsync(key, entry.Name, record.ToJsonString());

        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => store.LoadAsync(Self, Stop));

        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("server-a", "mesh:{server-a}:tasks")]
    [InlineData("}a", "mesh:{%7Da}:tasks")]
    [InlineData("%7Da", "mesh:{%257Da}:tasks")]
    public void Keys_OfOneServer_HaveItsIdAsTheirHashTag(string server, string key) => Assert.Equal(key, new RedisKeys(new ServerId(server)).Tasks.ToString());

    [Fact]
    public async Task AnyCall_StoreKilled_FailsThenRecovers()
    {
        await using var own = await RedisProcess.StartAsync(Stop);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(own.ConnectionString + ",abortConnect=false,asyncTimeout=1000,syncTimeout=1000");
        var store = new RedisMeshStore(() => connection.GetDatabase(), Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);
        await WriteAsync(store, StoreOp.Of(StoreOpKind.DropTask, Task("t0")));
        await own.KillAsync();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.LoadAsync(Self, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindSettledAsync("t1", Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ListDeadAsync(10, Stop));
        var task = Task("t1");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task)));

        await own.RestartAsync(connection, Stop);

        // The restarted Redis has neither the script nor the claim.
        await Assert.ThrowsAsync<StoreRolledBackException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task)));
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task)));
    }

    [Fact]
    public async Task Lease_FirstAcquireArrivesAfterItsRetry_IsStillHeld()
    {
        var database = await redis.Isolated();
        var (store, holdNext, arriveAsync) = DelayedWrites.Over(database, late => new RedisMeshStore(late, Self, RedisBackend.Retention, RedisBackend.Expiry));
        holdNext();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AcquireLeaseAsync(store, Self, "self"));
        await AcquireLeaseAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);

        await arriveAsync();

        Assert.Equal(ServerLeaseRenewStatus.Held, await store.RenewLeaseAsync(Self, Stop));
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1"))));
    }

    [Fact]
    public async Task Lease_NotRenewed_ExpiresAndNextFencingTokenFences()
    {
        var database = await redis.Isolated();
        var first = new RedisMeshStore(() => database, Self, RedisBackend.Retention, TimeSpan.FromMilliseconds(50));
        var second = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(first, Self, "first");
        await Eventually.GetAsync(
            "the claim expires", () => second.AcquireLeaseAsync(Self, Holder("second"), gone: null, Stop), answer => answer.Result == ServerLeaseAcquireStatus.Acquired);

        await Assert.ThrowsAsync<ServerLeaseLostException>(() => WriteAsync(first));
    }

    [Fact]
    public async Task Lease_ExpiredAndNotTaken_IsRenewed()
    {
        var database = await redis.Isolated();
        var first = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(first, Self, "first");
        await database.KeyDeleteAsync("mesh:{server-a}:claim");

        Assert.Equal(ServerLeaseRenewStatus.Held, await first.RenewLeaseAsync(Self, Stop));

        var answer = await new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry).AcquireLeaseAsync(Self, Holder("second"), gone: null, Stop);
        Assert.Equal(ServerLeaseAcquireStatus.Held, answer.Result);
    }
}
