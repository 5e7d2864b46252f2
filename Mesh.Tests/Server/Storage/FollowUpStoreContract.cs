using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of tasks that are stored with the result of another one. Each <see cref="IMeshStore"/> passes them.</summary>
public abstract class FollowUpStoreContract : StoreContract
{
    private protected FollowUpStoreContract(IStoreBackend place)
        : base(place)
    {
    }

    [Fact]
    public async Task SettleWithThen_Repeated_AddsItsTasksOnce()
    {
        var store = await ServingAsync();
        var settle = StoreOp.Of(StoreOpKind.SettleTask, Task("t1") with { State = TaskState.Done }) with { Then = [Keyed("f1", "f1"), Keyed("own", "f2")] };
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));

        Assert.Empty(await WriteAsync(store, settle));
        Assert.Empty(await WriteAsync(store, settle));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal(["f1", "f2"], stored.Tasks.Select(task => task.WireId.Value).Order());
        Assert.Equal(1, stored.Done);
        Assert.Equal(TaskState.Done, (await store.FindSettledAsync("t1", Stop))!.State);
        Assert.Equal(["own"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("own", "f3"))));
    }

    [Fact]
    public async Task SettleWithThen_TaskNotUnsettled_AddsNothingAndReturnsItsTasks()
    {
        var store = await ServingAsync();

        var known = await WriteKnownAsync(store, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")) with { Then = [Keyed("f1", "f1"), Keyed("own", "f2")] });

        Assert.Equal([("f1", null), ("own", null)], known.Select(one => (one.Key, one.Value)).Order());
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
    }

    [Theory]
    [InlineData(nameof(StoreOpKind.SettleTask))]
    [InlineData(nameof(StoreOpKind.MoveTaskToDeadLetters))]
    [InlineData(null)]
    public async Task SettleWithThen_KnownFollowUp_IsReturnedAndNotAdded(string? how)
    {
        var store = await ServingAsync();
        var (own, derived) = (Keyed("own", "w1"), Keyed("f2", "f2"));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, own), StoreOp.Of(StoreOpKind.AcceptTask, Task("f2")));
        if (how is not null)
        {
            await WriteAsync(store, StoreOp.Of(Enum.Parse<StoreOpKind>(how), own), StoreOp.Of(Enum.Parse<StoreOpKind>(how), derived));
        }

        var known = await WriteKnownAsync(store, StoreOp.Of(StoreOpKind.SettleTask, Task("t1")) with { Then = [Keyed("own", "f1"), derived, Keyed("f3", "f3")] });

        // A follow-up that is stored and unsettled is one that an earlier, partial write has stored.
        Assert.Equal(how is null ? ["own"] : ["f2", "own"], known.Keys.Order());
        Assert.Equal("w1", known["own"]!.WireId.Value);
        Assert.Equal(how is null ? ["f2", "f3", "w1"] : ["f3"], (await store.LoadAsync(Self, Stop)).Tasks.Select(task => task.WireId.Value).Order());
    }

    [Fact]
    public async Task SettleWithThen_ManyTasksInOneBatch_AreAllThere()
    {
        var store = await ServingAsync();
        TaskRecord[] parents = [.. Enumerable.Range(0, 5).Select(i => Task($"t{i}"))];
        await WriteAsync(store, [.. parents.Select(task => StoreOp.Of(StoreOpKind.AcceptTask, task))]);

        await WriteAsync(store, [.. parents.Select(task => StoreOp.Of(StoreOpKind.SettleTask, task) with
        {
            Then = [.. Enumerable.Range(0, FollowUps.MaxTasks).Select(i => Keyed($"{task.Id}-own-{i}", $"{task.Id}-{i}"))],
        })]);

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((5_000, 5), (stored.Tasks.Count, stored.Done));
    }
}
