using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Tests.Server.Storage;

namespace Mesh.Tests.Server.Api;

/// <summary>Requests for all dead letters (docs/protocol.md, "Dead letters").</summary>
public sealed class DeadLetterBulkChangeTests
{
    private static readonly ServerId Self = new("server-a");
    private static readonly ServerId Adopted = new("server-b");

    private readonly InMemoryMeshStore _store;
    private readonly InMemoryMeshStore _adopted;

    public DeadLetterBulkChangeTests()
    {
        var place = new InMemoryNamespace();
        (_store, _adopted) = (new(Self, place), new(Adopted, place));
    }

    [Fact]
    public async Task Delete_EarlierTasksDieMeanwhile_DeletesAllThatExistedAtTheBeginning()
    {
        await StoreOperations.AcquireLeaseAsync(_store, Self, "before");
        await AddDeadLettersAsync(_store, 10, 20, 30, 40, 50);
        List<PendingSubmission> pages = [];
        var change = new DeadLetterBulkChange(
            _store,
            async page =>
            {
                pages.Add(page);
                if (pages.Count == 1)
                {
                    await AddDeadLettersAsync(_store, 25, 26, 60);
                }

                return await DeleteAsync(page);
            },
            writeSize: 2);

        var result = await change.DeleteAsync(type: null, TestContext.Current.CancellationToken);

        Assert.Equal(new BulkChangeResult(7, EndedBy: null), result);
        Assert.Equal(["t10", "t20", "t25", "t26", "t30", "t40", "t50"], pages.SelectMany(page => page.Tasks).Select(task => task.Id));
        Assert.Equal(["t60"], await ListDeadAsync());
    }

    [Fact]
    public async Task Retry_TasksDieAgain_RetriesEachOnce()
    {
        await StoreOperations.AcquireLeaseAsync(_store, Self, "before");
        await AddDeadLettersAsync(_store, 1, 2, 3);
        var sequence = 3;
        var change = new DeadLetterBulkChange(
            _store,
            async page =>
            {
                foreach (var again in page.Tasks.Select(task => task with { Sequence = ++sequence }))
                {
                    await StoreOperations.WriteAsync(_store, StoreOp.Of(StoreOpKind.RetryDeadLetter, again), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, again));
                    page.Count++;
                }

                return SubmitOutcome.Accepted;
            },
            writeSize: 2);

        var result = await change.RetryAsync(type: null, dead => DeadLetterEndpoints.Revive(dead, new TaskId($"{dead.Id}-again")), TestContext.Current.CancellationToken);

        Assert.Equal(new BulkChangeResult(3, EndedBy: null), result);
    }

    [Fact]
    public async Task Delete_AtAnAdopter_DeletesThoseOfEachServerThatExistedAtTheBeginning()
    {
        await StoreOperations.AcquireLeaseAsync(_adopted, Adopted, "gone", Adopted.Value);
        await AddDeadLettersAsync(_adopted, 100, 200, 300);
        await _adopted.ReleaseLeaseAsync(Adopted, TestContext.Current.CancellationToken);
        await StoreOperations.AcquireLeaseAsync(_store, Self, "before");
        await StoreOperations.AcquireLeaseAsync(_store, Adopted, "before");
        await AddDeadLettersAsync(_store, 1, 2);
        var pages = 0;
        var change = new DeadLetterBulkChange(
            _store,
            async page =>
            {
                if (pages++ == 0)
                {
                    await AddDeadLettersAsync(_store, 3);
                }

                return await DeleteAsync(page);
            },
            writeSize: 2);

        var result = await change.DeleteAsync(type: null, TestContext.Current.CancellationToken);

        Assert.Equal(new BulkChangeResult(5, EndedBy: null), result);
        Assert.Equal(["t3"], await ListDeadAsync());
    }

    [Fact]
    public async Task Delete_StoreUnavailableAfterAPage_ReturnsTheNumberOfTheDeleted()
    {
        await StoreOperations.AcquireLeaseAsync(_store, Self, "before");
        await AddDeadLettersAsync(_store, 1, 2, 3, 4, 5);
        var change = new DeadLetterBulkChange(_store, StoreThenFail, writeSize: 2);

        var result = await change.DeleteAsync(type: null, TestContext.Current.CancellationToken);

        Assert.Equal(new BulkChangeResult(2, SubmitOutcome.StoreUnavailable), result);
    }

    [Fact]
    public async Task Delete_StoreUnavailableAtTheFirstPage_Throws()
    {
        await StoreOperations.AcquireLeaseAsync(_store, Self, "before");
        await AddDeadLettersAsync(_store, 1, 2, 3, 4, 5);
        _store.IsUnavailable = true;
        var change = new DeadLetterBulkChange(_store, StoreThenFail, writeSize: 2);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => change.DeleteAsync(type: null, TestContext.Current.CancellationToken));
    }

    private Task<SubmitOutcome> StoreThenFail(PendingSubmission page)
    {
        page.Count = page.Tasks.Count;
        _store.IsUnavailable = true;
        return Task.FromResult(SubmitOutcome.Accepted);
    }

    private async Task<SubmitOutcome> DeleteAsync(PendingSubmission page)
    {
        await StoreOperations.WriteAsync(_store, [.. page.Tasks.Select(task => StoreOp.Of(StoreOpKind.DeleteDeadLetter, task))]);
        page.Count = page.Tasks.Count;
        return SubmitOutcome.Accepted;
    }

    private async Task<IEnumerable<string>> ListDeadAsync() => (await _store.ListDeadAsync(100, TestContext.Current.CancellationToken)).Select(task => task.Id);

    /// <summary>Adds dead letters with these sequence numbers.</summary>
    private static async Task AddDeadLettersAsync(InMemoryMeshStore store, params long[] sequences) => await StoreOperations.WriteAsync(store, [.. sequences.SelectMany(sequence =>
    {
        var task = StoreOperations.Task($"t{sequence}", sequence) with { State = TaskState.Dead };
        return new[] { StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task) };
    })]);
}
