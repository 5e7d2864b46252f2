using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of dead letters that each <see cref="IMeshStore"/> passes.</summary>
public abstract class DeadLetterStoreContract : StoreContract
{
    private protected DeadLetterStoreContract(IStoreBackend place)
        : base(place)
    {
    }

    [Fact]
    public async Task DeleteDeadLetter_Repeated_DeletesThatOneAlone()
    {
        var store = await ServingAsync();
        TaskRecord[] dead = [.. new[] { "t1", "t\"2", "é" }.Select(id => Task(id) with { State = TaskState.Dead, Error = "no" })];
        await WriteAsync(store, [.. dead.Select(task => StoreOp.Of(StoreOpKind.AcceptTask, task)), .. dead.Select(task => StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task))]);

        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.DeleteDeadLetter, dead[1])));
        Assert.Equal([StoreOp.MissingDeadLetterKey(dead[1].WireId)], await WriteAsync(store, StoreOp.Of(StoreOpKind.DeleteDeadLetter, dead[1])));

        Assert.Equal(["t1", "é"], (await store.ListDeadAsync(10, Stop)).Select(task => task.Id).Order(StringComparer.Ordinal));
        Assert.Null(await store.FindSettledAsync("t\"2", Stop));
        Assert.Equal(2, (await store.LoadAsync(Self, Stop)).Dead);
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("t\"2", "w2"))));
    }

    [Fact]
    public async Task DeleteDeadLetter_RepeatedAfterALaterDeath_KeepsTheLaterDeadLetter()
    {
        var store = await ServingAsync();
        var (first, second) = (Keyed("order-1", "w1") with { State = TaskState.Dead }, Keyed("order-1", "w2") with { State = TaskState.Dead });
        StoreOp[] batch =
        [
            StoreOp.Of(StoreOpKind.DeleteDeadLetter, first),
            StoreOp.Of(StoreOpKind.AcceptTask, second),
            StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, second),
        ];
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, first), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, first));

        await WriteAsync(store, batch);
        await WriteAsync(store, batch);

        Assert.Equal("w2", (await store.FindSettledAsync("order-1", Stop))!.WireId.Value);
    }

    [Fact]
    public async Task MoveToDeadLetters_ThenRevive_IsUnsettledUnderItsNewWireId()
    {
        var store = await ServingAsync();
        var dead = Task("t1") with { State = TaskState.Dead, Attempts = 3, Error = "unknown user" };
        var again = dead with { WireId = new TaskId("w2"), State = TaskState.Queued, Attempts = 0, Error = null };
        StoreOp[] batch = [StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, dead), StoreOp.Of(StoreOpKind.RetryDeadLetter, again)];
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), batch[0]);
        Assert.Equal(dead, await store.FindSettledAsync("t1", Stop));
        Assert.Equal(1, (await store.LoadAsync(Self, Stop)).Dead);

        await WriteAsync(store, batch);
        await WriteAsync(store, batch);

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal(again, Assert.Single(stored.Tasks));
        Assert.Equal(0, stored.Dead);
        Assert.Null(await store.FindSettledAsync("t1", Stop));
    }

    [Fact]
    public async Task Revive_TaskNotDead_IsReportedAndChangesNothing()
    {
        var store = await ServingAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.SettleTask, Task("t1")));

        var told = await WriteAsync(store, StoreOp.Of(StoreOpKind.RetryDeadLetter, Task("t1") with { WireId = new TaskId("w2") }));

        Assert.Equal(["t1"], told);
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
    }

    [Fact]
    public async Task Revive_ThenSettle_LeavesNothingUnsettled()
    {
        var store = await ServingAsync();
        var again = Keyed("order-1", "w2");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, Keyed("order-1", "w1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RetryDeadLetter, again), StoreOp.Of(StoreOpKind.SettleTask, again));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((1, 0, 0), (stored.Done, stored.Tasks.Count, stored.Dead));
        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w3"))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("QUERY")]
    public async Task ReadDead_PageByPage_GivesAllOnceOldestFirst(string? type)
    {
        var store = await ServingAsync();
        TaskRecord[] dead = [.. Enumerable.Range(0, 250).Select(i => Task($"t{i}", sequence: 1_000 - i) with { Type = i % 3 == 0 ? TaskType.Parse("RESIZE")!.Value : TaskType.Query })];
        await WriteAsync(store, [.. dead.SelectMany(DeadLetter)]);

        var (read, pages, after) = (new List<TaskRecord>(), 0, (DeadLetterCursor?)null);
        do
        {
            var page = await store.ReadDeadAsync(new(after, type is null ? null : TaskType.Parse(type), Limit: 40), Stop);
            read.AddRange(page.Tasks);
            Assert.True(page.Tasks.Count == 40 || page.Next is null);
            after = page.Next is null ? null : DeadLetterCursor.TryParse(page.Next.ToString(), out var parsed) ? parsed : throw new InvalidOperationException("The cursor cannot be read.");
            pages++;

            // Changes before the cursor do not move the pages.
            await WriteAsync(store, StoreOp.Of(StoreOpKind.DeleteDeadLetter, read[^1]), StoreOp.Of(StoreOpKind.RetryDeadLetter, read[^2] with { WireId = new TaskId($"again-{pages}") }));
        }
        while (after is not null);

        Assert.Equal(dead.Where(task => type is null || task.Type == TaskType.Query).Select(task => task.Id).Reverse(), read.Select(task => task.Id));
        Assert.Equal(250 - (2 * pages), (await store.ListDeadAsync(1_000, Stop)).Count);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(100)]
    public async Task ReadDead_UntilALaterOne_LeavesOutThoseBehindIt(int limit)
    {
        var store = await ServingAsync();
        Assert.Empty(await store.FindLastDeadAsync(Stop));
        Assert.Equal(0, (await store.LoadAsync(Self, Stop)).LastDeadSequence);
        await WriteAsync(store, [.. DeadLetter(Task("t3", sequence: 30)), .. DeadLetter(Task("t1", sequence: 10))]);
        var last = Assert.Single(await store.FindLastDeadAsync(Stop));
        Assert.Equal(new DeadLetterCursor(Self, 30, "t3"), last);
        Assert.Equal(30, (await store.LoadAsync(Self, Stop)).LastDeadSequence);

        await WriteAsync(store, [.. DeadLetter(Task("t2", sequence: 20)), .. DeadLetter(Task("t4", sequence: 40))]);

        List<string> read = [];
        DeadLetterCursor? after = null;
        do
        {
            var page = await store.ReadDeadAsync(new(after, Type: null, limit) { Until = last }, Stop);
            read.AddRange(page.Tasks.Select(task => task.Id));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(["t1", "t2", "t3"], read);
    }

    [Fact]
    public async Task FindLastDead_AdoptedServer_GivesOneForEachServer()
    {
        var open = await Place.CreateAsync();
        var (own, adopter) = (open("server-a"), open("server-b"));
        await AcquireLeaseAsync(own, Self, "self");
        await WriteAsync(own, [.. DeadLetter(Task("t1", sequence: 10)), .. DeadLetter(Task("t2", sequence: 20))]);
        await own.ReleaseLeaseAsync(Self, Stop);
        var other = new ServerId("server-b");
        await AcquireLeaseAsync(adopter, other, "other", other.Value);
        await WriteAsync(adopter, DeadLetter(Task("u1", sequence: 5)));
        await AcquireLeaseAsync(adopter, Self, "other", other.Value);
        Assert.Equal(20, (await adopter.LoadAsync(Self, Stop)).LastDeadSequence);

        var last = await adopter.FindLastDeadAsync(Stop);

        Assert.Equal([new DeadLetterCursor(other, 5, "u1"), new DeadLetterCursor(Self, 20, "t2")], last);
        Assert.Equal(["t1", "t2"], (await adopter.ReadDeadAsync(new(After: null, Type: null, Limit: 10) { Until = last[1] }, Stop)).Tasks.Select(task => task.Id));
    }

    [Fact]
    public async Task Write_RepeatedChanges_SetsTheNumberOfDeadLettersOfThisServer()
    {
        var store = await ServingAsync();
        var (t1, t2, t3) = (Task("t1", sequence: 1), Task("t2", sequence: 2), Task("t3", sequence: 3));
        StoreOp[][] writes =
        [
            [.. DeadLetter(t1), .. DeadLetter(t2), .. DeadLetter(t3)],
            [StoreOp.Of(StoreOpKind.DeleteDeadLetter, t1)],
            [StoreOp.Of(StoreOpKind.RetryDeadLetter, t2 with { WireId = new TaskId("w2") })],
            [StoreOp.Of(StoreOpKind.RestoreTask, t3)],
        ];
        List<long?> counts = [];
        foreach (var write in writes.SelectMany(write => new[] { write, write }).Skip(1))
        {
            var batch = Batch(write);
            await store.WriteAsync(batch, Stop);
            counts.Add(batch.DeadLetters);
        }

        Assert.Equal([3, 2, 2, 1, 1, 0, 0], counts);
    }

    [Fact]
    public async Task MoveToDeadLetters_AgainAfterARetry_HasItsNewPlaceInTheOrder()
    {
        var store = await ServingAsync();
        await WriteAsync(store, [.. DeadLetter(Task("t1", sequence: 1)), .. DeadLetter(Task("t2", sequence: 2))]);
        var again = Task("t1", sequence: 3) with { WireId = new TaskId("w2") };

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RetryDeadLetter, again), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, again));

        Assert.Equal(["t2", "t1"], (await store.ListDeadAsync(10, Stop)).Select(task => task.Id));
    }

    [Fact]
    public async Task ListDead_MoreThanTheLimit_GivesTheOldest()
    {
        var store = await ServingAsync();
        for (var i = 20; i > 0; i--)
        {
            await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task($"t{i}", i)), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, Task($"t{i}", i)));
        }

        Assert.Equal([1, 2, 3], (await store.ListDeadAsync(3, Stop)).Select(task => task.Sequence));
    }
}
