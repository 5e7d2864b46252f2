using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Accounts;

/// <summary>docs/architecture.md, "An UPDATE is applied once": the key and the unit of a balance in Redis.</summary>
[Trait("Speed", "Slow")]
public sealed class LedgerKeyTests(RedisFixture redis)
{
    [Fact]
    public async Task Balance_InRedis_IsAnIntegerOfTenThousandthsUnderTheKeyOfTheUser()
    {
        var stop = TestContext.Current.CancellationToken;
        var database = await redis.Isolated();
        var ledger = new RedisLedger(database);
        await ledger.SetBalanceAsync("maria", 12.5m, stop);

        await ledger.UpdateAsync("maria", 0.0001m, new TaskId("t1"), stop);

        Assert.Equal(125_001, (long)await database.StringGetAsync("mesh:account:{maria}"));
    }

    [Fact]
    public async Task Mark_OfAnUpdate_TakesTheMemoryThatTheManualNames()
    {
        var stop = TestContext.Current.CancellationToken;
        var database = await redis.Isolated();
        var ledger = new RedisLedger(database);
        await ledger.SetBalanceAsync("maria", 1, stop);
        var task = $"{Guid.NewGuid():N}";

        await ledger.UpdateAsync("maria", 1, new TaskId(task), stop);

        // docs/operations.md, "Scaling out": some 150 bytes. The key of a test has a prefix.
        Assert.InRange((long)await database.ExecuteAsync("MEMORY", "USAGE", (RedisKey)$"mesh:account:{{maria}}:task:{task}"), 100, 220);
    }
}
