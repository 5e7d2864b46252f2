using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Accounts;

[Trait("Speed", "Slow")]
public sealed class RedisLedgerTests(RedisFixture redis) : LedgerContract
{
    protected override async Task<ILedger> CreateAsync() => new RedisLedger(await redis.Isolated());

    [Fact]
    public async Task Settled_MarkIsKeptForADayOrAsSet_UnsettledForAMonth()
    {
        var stop = TestContext.Current.CancellationToken;
        var database = await redis.Isolated();
        var ledger = new RedisLedger(database);
        await ledger.SetBalanceAsync("maria", 1, stop);

        await ledger.UpdateAsync("maria", 1, new TaskId("t1"), stop);

        Assert.InRange(await LeftAsync(), TimeSpan.FromDays(30), TimeSpan.FromDays(31));
        ledger.Settled("maria", new TaskId("t1"));
        Assert.InRange(await LeftAsync(), TimeSpan.FromHours(23), TimeSpan.FromHours(24));
        new RedisLedger(() => database, TimeSpan.FromHours(1)).Settled("maria", new TaskId("t1"));
        Assert.InRange(await LeftAsync(), TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));

        async Task<TimeSpan> LeftAsync() => (await database.KeyTimeToLiveAsync("mesh:account:{maria}:task:t1"))!.Value;
    }

    [Fact]
    public async Task Update_StoreKilled_FailsThenRecovers()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var own = await RedisProcess.StartAsync(stop);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(own.ConnectionString + ",abortConnect=false,asyncTimeout=1000");
        var ledger = new RedisLedger(connection.GetDatabase());
        await ledger.SetBalanceAsync("maria", 1, stop);
        await ledger.UpdateAsync("maria", 1, new TaskId("t1"), stop);

        await own.KillAsync();
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => ledger.UpdateAsync("maria", 1, new TaskId("t2"), stop).AsTask());
        Assert.True(RedisErrorClassifier.IsStoreUnavailable(fault), fault.ToString());
        ledger.Settled("maria", new TaskId("t1"));

        await own.RestartAsync(connection, stop);

        // The restarted store knows neither the account nor the script.
        Assert.Equal(new LedgerUpdate(LedgerOutcome.UnknownUser), await ledger.UpdateAsync("maria", 1, new TaskId("t3"), stop));
    }
}
