using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Tests.Accounts;
using Mesh.Tests.Fixtures;
using Mesh.Worker.Handlers;
using MeshAspire.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Mesh.Tests.Worker.Handlers;

public sealed class HandlerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "AMOUNT is missing")]
    [InlineData("0.00001", "AMOUNT must not have more than 4 decimals")]
    [InlineData("-1.5", "the balance would go below zero")]
    public async Task Update_InvalidOrRefused_ReturnsTheReason(string? amount, string error)
    {
        var handler = new UpdateHandler(await WithMariaAsync(), Patience());
        var parsed = amount is null ? (decimal?)null : decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture);

        var failure = await Assert.ThrowsAsync<TaskFailedException>(() => handler.HandleAsync(new AccountTask("maria", parsed), Context("t1")));

        Assert.Equal((error, true, null), (failure.Message, failure.MayRetry, failure.RetryAfter));
    }

    [Fact]
    public async Task Update_WithoutTaskId_IsApplied()
    {
        var ledger = await WithMariaAsync();
        var handler = new UpdateHandler(ledger, Patience());

        await handler.HandleAsync(new AccountTask("maria", 1), Context(null));

        Assert.Equal(3, await handler.HandleAsync(new AccountTask("maria", 1), Context(null)));
    }

    [Fact]
    public async Task Update_AnswersLost_IsRepeatedAndAppliedOnce()
    {
        var accounts = await WithMariaAsync();
        var ledger = new LostAnswerLedger(accounts, lost: 2);
        var time = new TimerTrackingTimeProvider();
        var handler = new UpdateHandler(ledger, new LedgerRetryPolicy(time, NullLogger<LedgerRetryPolicy>.Instance));

        TimeSpan[] delays = [TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(400)];
        Task[] waiting = [.. delays.Select(time.NextTimerAsync)];

        var result = handler.HandleAsync(new AccountTask("maria", 1), Context("t1"));
        for (var i = 0; i < delays.Length; i++)
        {
            await waiting[i];
            Assert.False(result.IsCompleted);
            time.Advance(delays[i]);
        }

        Assert.Equal(2, await result.OrFailAsync("the update to succeed"));
        Assert.Equal(3, ledger.Calls);
        Assert.Equal(2, await accounts.FindBalanceAsync("maria", Stop));
    }

    [Fact]
    public async Task Query_StoreUnavailableAndCancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        var handler = new QueryHandler(new UnavailableLedger(cancel), Patience());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => handler.HandleAsync(new AccountTask("maria"), TaskContexts.Create(new NewTask(TaskType.Query, "maria"), cancel.Token)));
    }

    private static TaskContext Context(string? taskId) => TaskContexts.Create(new NewTask(TaskType.Update, "maria") { Id = taskId is null ? null : new TaskId(taskId) }, Stop);

    private static LedgerRetryPolicy Patience() => new(TimeProvider.System, NullLogger<LedgerRetryPolicy>.Instance);

    private static async Task<MemoryLedger> WithMariaAsync()
    {
        var ledger = new MemoryLedger();
        await ledger.SetBalanceAsync("maria", 1, Stop);
        return ledger;
    }

    /// <summary>Applies each update, but loses its first answers.</summary>
    private sealed class LostAnswerLedger(ILedger inner, int lost) : ILedger
    {
        public int Calls { get; private set; }

        public async ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default)
        {
            var update = await inner.UpdateAsync(user, amount, task, cancellation);
            return ++Calls > lost ? update : throw new RedisConnectionException(ConnectionFailureType.SocketClosed, "lost");
        }

        public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default) => throw new NotSupportedException();

        public void Settled(string user, TaskId task) => throw new NotSupportedException();
    }

    /// <summary>Is unavailable, and cancels the task at the second try.</summary>
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
