using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Accounts;

/// <summary>docs/architecture.md, "An UPDATE is applied once": the key and the unit of a balance in Redis.</summary>
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
}
