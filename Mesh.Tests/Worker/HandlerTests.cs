using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Accounts;
using Mesh.Tests.Fixtures;
using Mesh.Worker.Handlers;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Mesh.Tests.Worker;

public sealed class HandlerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "AMOUNT is missing")]
    [InlineData("0.00001", "AMOUNT must not have more than 4 decimals")]
    [InlineData("-1.5", "the balance would go below zero")]
    public async Task Update_ThatCannotBe_SaysWhy(string? amount, string error)
    {
        var handler = new UpdateHandler(await WithMariaAsync(), Patience());
        var parsed = amount is null ? (decimal?)null : decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture);

        var result = await handler.HandleAsync(new NewTask(TaskType.Update, "maria", parsed) { Id = new TaskId("t1") }, Stop);

        Assert.Equal(HandlerResult.Failed(error), result);
    }

    [Fact]
    public async Task Update_WithoutTaskId_Counts()
    {
        var ledger = await WithMariaAsync();
        var handler = new UpdateHandler(ledger, Patience());

        await handler.HandleAsync(new NewTask(TaskType.Update, "maria", 1), Stop);

        Assert.Equal(HandlerResult.Done(3), await handler.HandleAsync(new NewTask(TaskType.Update, "maria", 1), Stop));
    }

    [Fact]
    public async Task Update_StoreUnavailable_WaitsAndIsAppliedOnce()
    {
        await using var redis = await RedisProcess.StartAsync(Stop);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",abortConnect=false,asyncTimeout=1000,connectTimeout=1000");
        var ledger = new RedisLedger(connection.GetDatabase());
        var handler = new UpdateHandler(ledger, Patience());
        await redis.KillAsync();

        var result = handler.HandleAsync(new NewTask(TaskType.Update, "maria", 1) { Id = new TaskId("t1") }, Stop).AsTask();
        await redis.RestartAsync(Stop);

        // The store came back empty; what counts is that the task got through to it.
        Assert.Equal(HandlerResult.Failed("unknown user"), await result.WaitAsync(TimeSpan.FromSeconds(60), Stop));
    }

    [Fact]
    public async Task Query_StoreUnavailableAndCancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        var handler = new QueryHandler(new UnavailableLedger(cancel), Patience());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => handler.HandleAsync(new NewTask(TaskType.Query, "maria"), cancel.Token).AsTask());
    }

    private static LedgerRetryPolicy Patience() => new(TimeProvider.System, NullLogger<LedgerRetryPolicy>.Instance);

    private static async Task<MemoryLedger> WithMariaAsync()
    {
        var ledger = new MemoryLedger();
        await ledger.SetBalanceAsync("maria", 1, Stop);
        return ledger;
    }

    /// <summary>Out of reach; cancels the task at the second try.</summary>
    private sealed class UnavailableLedger(CancellationTokenSource cancel) : ILedger
    {
        private int _tries;

        public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default)
        {
            if (++_tries == 2)
            {
                cancel.Cancel();
            }

            throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, "away");
        }

        public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default) => throw new NotSupportedException();

        public void Settled(string user, TaskId task) => throw new NotSupportedException();
    }
}
