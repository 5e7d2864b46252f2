using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Tests.Accounts;

/// <summary>The tests that each <see cref="ILedger"/> passes.</summary>
public abstract class LedgerContract
{
    private static readonly LedgerUpdate Closed = new(LedgerOutcome.Closed);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>An empty ledger.</summary>
    protected abstract Task<ILedger> CreateAsync();

    [Fact]
    public async Task FindBalance_UnknownUser_IsNull()
    {
        var ledger = await CreateAsync();

        Assert.Null(await ledger.FindBalanceAsync("nobody", Stop));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("12.5")]
    [InlineData("0.0001")]
    [InlineData("99999999999999.9999")]
    public async Task SetBalance_AnyAmount_IsReadBackExactly(string amount)
    {
        var ledger = await CreateAsync();
        var balance = decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture);

        await ledger.SetBalanceAsync("maria", balance, Stop);

        Assert.Equal(balance, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task SetBalance_TwiceForOneUser_ReturnsWhichCreated()
    {
        var ledger = await CreateAsync();

        Assert.True(await ledger.SetBalanceAsync("maria", 1, Stop));
        Assert.False(await ledger.SetBalanceAsync("maria", 2, Stop));
        Assert.Equal(2, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Update_KnownUser_AddsExactly()
    {
        var ledger = await WithMariaAsync(9_007_199_254_740.9930m);

        var update = await ledger.UpdateAsync("maria", 0.0001m, new TaskId("t1"), Stop);

        Assert.Equal(new LedgerUpdate(LedgerOutcome.Applied, 9_007_199_254_740.9931m), update);
        Assert.Equal(update.Balance, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Update_RepeatedTask_ChangesNothingAndAnswersTheSame()
    {
        var ledger = await WithMariaAsync(10);
        var first = await ledger.UpdateAsync("maria", -2.5m, new TaskId("t1"), Stop);
        await ledger.UpdateAsync("maria", 100, new TaskId("t2"), Stop);

        var again = await ledger.UpdateAsync("maria", -2.5m, new TaskId("t1"), Stop);

        Assert.Equal(first, again);
        Assert.Equal(107.5m, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Update_SameTaskConcurrently_IsAppliedOnce()
    {
        var ledger = await WithMariaAsync(0);

        var updates = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => ledger.UpdateAsync("maria", 1, new TaskId($"t{i % 5}"), Stop).AsTask()));

        Assert.All(updates, update => Assert.Equal(LedgerOutcome.Applied, update.Outcome));
        Assert.Equal(5, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Update_UnknownUser_CanSucceedOnceTheAccountIsThere()
    {
        var ledger = await CreateAsync();
        Assert.Equal(new LedgerUpdate(LedgerOutcome.UnknownUser), await ledger.UpdateAsync("maria", 1, new TaskId("t1"), Stop));

        await ledger.SetBalanceAsync("maria", 1, Stop);

        Assert.Equal(new LedgerUpdate(LedgerOutcome.Applied, 2), await ledger.UpdateAsync("maria", 1, new TaskId("t1"), Stop));
    }

    [Fact]
    public async Task Update_BelowZero_ChangesNothingAndCanSucceedLater()
    {
        var ledger = await WithMariaAsync(1);
        Assert.Equal(new LedgerUpdate(LedgerOutcome.BelowZero), await ledger.UpdateAsync("maria", -1.0001m, new TaskId("t1"), Stop));
        Assert.Equal(1, await ledger.FindBalanceAsync("maria", Stop));

        await ledger.SetBalanceAsync("maria", 2, Stop);

        Assert.Equal(new LedgerUpdate(LedgerOutcome.Applied, 0.9999m), await ledger.UpdateAsync("maria", -1.0001m, new TaskId("t1"), Stop));
    }

    [Fact]
    public async Task Update_PastTheLargestBalance_ChangesNothing()
    {
        var ledger = await WithMariaAsync(AccountRules.MaxAmount);
        var balance = AccountRules.MaxAmount;
        LedgerUpdate update;
        var i = 0;
        while ((update = await ledger.UpdateAsync("maria", AccountRules.MaxAmount, new TaskId($"t{i++}"), Stop)).Outcome == LedgerOutcome.Applied)
        {
            Assert.InRange(i, 1, 9);
            balance += AccountRules.MaxAmount;
        }

        Assert.Equal(new LedgerUpdate(LedgerOutcome.TooLarge), update);
        Assert.Equal(9, i);
        Assert.Equal(balance, await ledger.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Close_TaskNotApplied_RejectsLaterUpdates()
    {
        var ledger = await WithMariaAsync(1);

        Assert.Equal(Closed, await ledger.CloseAsync("maria", new TaskId("t1"), Stop));

        Assert.Equal(Closed, await ledger.UpdateAsync("maria", 1, new TaskId("t1"), Stop));
        Assert.Equal(1, await ledger.FindBalanceAsync("maria", Stop));
        Assert.Equal(Closed, await ledger.CloseAsync("maria", new TaskId("t1"), Stop));
    }

    [Fact]
    public async Task Close_TaskApplied_ReturnsApplied()
    {
        var ledger = await WithMariaAsync(1);
        var update = await ledger.UpdateAsync("maria", 1, new TaskId("t1"), Stop);

        Assert.Equal(update, await ledger.CloseAsync("maria", new TaskId("t1"), Stop));
    }

    [Fact]
    public async Task Update_UserNamesWithKeySyntax_UseDistinctKeys()
    {
        var ledger = await CreateAsync();
        string[] users = ["a", "a}", "a}:task:t", "a%7D", "{a}", "}", "{", "maria joão ✓"];
        foreach (var user in users)
        {
            await ledger.SetBalanceAsync(user, 0, Stop);
        }

        for (var i = 0; i < users.Length; i++)
        {
            await ledger.UpdateAsync(users[i], i, new TaskId("t"), Stop);
            await ledger.UpdateAsync(users[i], 100, new TaskId("t}"), Stop);
        }

        for (var i = 0; i < users.Length; i++)
        {
            Assert.Equal(100 + i, await ledger.FindBalanceAsync(users[i], Stop));
        }
    }

    private async Task<ILedger> WithMariaAsync(decimal balance)
    {
        var ledger = await CreateAsync();
        await ledger.SetBalanceAsync("maria", balance, Stop);
        return ledger;
    }
}
