using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using StackExchange.Redis;

namespace Mesh.Tests.Accounts;

/// <summary>A Garnet that is killed may have written a part of a script's changes to its log.</summary>
[Trait("Speed", "Slow")]
public sealed class GarnetCrashTests
{
    private const int Accounts = 8;
    private const int Kills = 2;
    private const int UpdatesBeforeAKill = 400;

    private int _updates;

    [Fact]
    public async Task Garnet_KilledAmidUpdates_AppliesEachOnce()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var garnet = await RedisProcess.StartAsync(RedisKind.Garnet, stop, "--aof", "--aof-commit-wait", "--recover", "--checkpointdir", ".", "--minthreads", "64");
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{garnet.ConnectionString},abortConnect=false,asyncTimeout=30000");
        var ledger = new RedisLedger(connection.GetDatabase());
        var made = new int[Accounts];
        for (var account = 0; account < Accounts; account++)
        {
            await ledger.SetBalanceAsync(Name(account), 0, stop);
        }

        for (var kill = 0; kill < Kills; kill++)
        {
            var enough = _updates + UpdatesBeforeAKill;
            var updating = Enumerable.Range(0, Accounts).Select(account => UpdateAsync(ledger, made, account)).ToArray();
            await Eventually.HoldsAsync($"{enough} updates", () => Volatile.Read(ref _updates) >= enough);
            await garnet.KillAsync();
            await Task.WhenAll(updating);
            await garnet.RestartAsync(connection, stop);

            for (var account = 0; account < Accounts; account++)
            {
                // The outcome of the failed update is unknown.
                var outcome = await ledger.UpdateAsync(Name(account), 1, Id(account, ++made[account]), stop);
                Assert.Equal(new LedgerUpdate(LedgerOutcome.Applied, made[account]), outcome);
                Assert.Equal(made[account], await ledger.FindBalanceAsync(Name(account), stop));
            }
        }
    }

    /// <summary>Makes updates until the store is unavailable.</summary>
    private async Task UpdateAsync(RedisLedger ledger, int[] made, int account)
    {
        try
        {
            while (true)
            {
                var outcome = await ledger.UpdateAsync(Name(account), 1, Id(account, made[account] + 1), TestContext.Current.CancellationToken);
                Assert.Equal(new LedgerUpdate(LedgerOutcome.Applied, ++made[account]), outcome);
                Interlocked.Increment(ref _updates);
            }
        }
        catch (Exception fault) when (RedisErrorClassifier.IsStoreUnavailable(fault))
        {
            // Killed.
        }
    }

    private static string Name(int account) => $"account-{account}";

    private static TaskId Id(int account, int number) => new($"task-{account}-{number}");
}
