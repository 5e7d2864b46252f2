using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Tests.Server.Storage;

namespace Mesh.Tests.Server.Api;

/// <summary>A request for all dead letters whose store fails (docs/protocol.md, "Dead letters").</summary>
public sealed class DeadLetterBulkChangeTests
{
    private readonly InMemoryMeshStore _store = new();

    [Fact]
    public async Task Delete_StoreUnavailableAfterAPage_ReturnsTheNumberOfTheDeleted()
    {
        await AddDeadLettersAsync(5);
        var change = new DeadLetterBulkChange(_store, StoreThenFail, writeSize: 2);

        var result = await change.DeleteAsync(type: null, TestContext.Current.CancellationToken);

        Assert.Equal(new BulkChangeResult(2, SubmitOutcome.StoreUnavailable), result);
    }

    [Fact]
    public async Task Delete_StoreUnavailableAtTheFirstPage_Throws()
    {
        await AddDeadLettersAsync(5);
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

    private async Task AddDeadLettersAsync(int count)
    {
        await StoreOperations.AcquireLeaseAsync(_store, new ServerId("server-a"), "before");
        await StoreOperations.WriteAsync(_store, [.. Enumerable.Range(0, count).SelectMany(i =>
        {
            var task = StoreOperations.Task($"t{i}", sequence: i + 1) with { State = TaskState.Dead };
            return new[] { StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task) };
        })]);
    }
}
