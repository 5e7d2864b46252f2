using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using Mesh.Tests.Core.Schedules;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of tasks and loans that each <see cref="IMeshStore"/> passes.</summary>
public abstract class MeshStoreContract
{
    private readonly IStoreBackend _place;

    private protected MeshStoreContract(IStoreBackend place) => _place = place;

    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task Load_EmptyStore_IsEmpty()
    {
        var stored = await (await ServingAsync()).LoadAsync(Self, Stop);

        Assert.Empty(stored.Tasks);
        Assert.Empty(stored.Loans);
        Assert.Equal((0, 0), (stored.Done, stored.Dead));
    }

    [Fact]
    public async Task Accept_AnyTask_IsLoadedAsItWas()
    {
        var store = await ServingAsync();
        var task = Task("t1") with
        {
            Type = TaskType.Update,
            Amount = 12.3456m,
            Attempts = 2,
            Error = "no such \"user\"",
            Worker = new WorkerId("WORKER_é"),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        };

        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task)));

        Assert.Equal(task, Assert.Single((await store.LoadAsync(Self, Stop)).Tasks));
    }

    [Fact]
    public async Task Accept_TaskWithEveryOptionalField_IsLoadedAsItWas()
    {
        var store = await ServingAsync();
        var task = new TaskRecord("order-1", new TaskId("w1"), new TaskType("IMAGE.RESIZE"), User: null, Amount: null, Sequence: 7)
        {
            Keyed = true,
            Payload = RawJson.Copy("{\"a\": [1, 1e400, \"\\ud83d\\ude00\"]}"u8),
            Priority = 0,
            NotBefore = new DateTimeOffset(2030, 1, 31, 12, 0, 0, TimeSpan.FromHours(1)).AddTicks(1_234_567),
            Limits = new TaskLimits(7, TimeSpan.FromSeconds(90), new RetryDelays(TimeSpan.FromMilliseconds(1), 1.5, TimeSpan.FromDays(3_650))),
            IsCancelRequested = true,
        };

        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task));
        Assert.Equal(task, Assert.Single((await store.LoadAsync(Self, Stop)).Tasks));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.UpdateTask, task with { Attempts = 1, Error = "no" }));
        Assert.Equal(task with { Attempts = 1, Error = "no" }, Assert.Single((await store.LoadAsync(Self, Stop)).Tasks));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task with { State = TaskState.Dead }));
        Assert.Equal(task with { State = TaskState.Dead }, await store.FindSettledAsync("order-1", Stop));
    }

    [Fact]
    public async Task Settle_DeepestPayloadAndResult_AreLoadedAsTheyWere()
    {
        var store = await ServingAsync();
        var deepest = RawJson.Copy(Encoding.UTF8.GetBytes(new string('[', ProtocolLimits.MaxValueDepth) + new string(']', ProtocolLimits.MaxValueDepth)));
        var task = Task("t1") with { Type = TaskType.Parse("RESIZE")!.Value, User = null, Payload = deepest };

        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task));
        Assert.Equal(task, Assert.Single((await store.LoadAsync(Self, Stop)).Tasks));

        var done = task with { State = TaskState.Done, Result = deepest };
        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, done));
        Assert.Equal(done, await store.FindSettledAsync("t1", Stop));
    }

    [Fact]
    public async Task Accept_TenThousandTasks_AreAllThere()
    {
        var store = await ServingAsync();

        await WriteAsync(store, [.. Enumerable.Range(0, 10_000).Select(i => StoreOp.Of(StoreOpKind.AcceptTask, Task($"t{i}", sequence: i)))]);

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => (long)i), stored.Tasks.Select(task => task.Sequence).Order());
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

    [Fact]
    public async Task AcceptKeyed_Repeated_IsNotKnown()
    {
        var store = await ServingAsync();
        var accept = StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1"));

        Assert.Empty(await WriteAsync(store, accept));
        Assert.Empty(await WriteAsync(store, accept));
    }

    [Fact]
    public async Task AcceptKeyed_TwiceInOneBatch_SecondIsKnown()
    {
        var store = await ServingAsync();

        var known = await WriteAsync(
            store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")), StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2")));

        Assert.Equal(["order-1"], known);
        Assert.Equal("w1", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).WireId.Value);
    }

    [Theory]
    [InlineData(nameof(StoreOpKind.SettleTask))]
    [InlineData(nameof(StoreOpKind.MoveTaskToDeadLetters))]
    [InlineData(nameof(StoreOpKind.CancelTask))]
    public async Task AcceptKeyed_SettledBefore_IsKnown(string how)
    {
        var store = await ServingAsync();
        var first = Keyed("order-1", "w1");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, first), StoreOp.Of(Enum.Parse<StoreOpKind>(how), first));

        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(nameof(StoreOpKind.SettleTask))]
    [InlineData(nameof(StoreOpKind.MoveTaskToDeadLetters))]
    [InlineData(nameof(StoreOpKind.CancelTask))]
    public async Task AcceptKeyed_KnownBefore_GivesTheTaskThatIsStored(string? how)
    {
        var store = await ServingAsync();
        var first = Keyed("order-1", "w1") with { Type = TaskType.Update, User = "joão", Amount = 12.5m };
        await WriteAsync(store, [StoreOp.Of(StoreOpKind.AcceptTask, first), .. how is null ? [] : new[] { StoreOp.Of(Enum.Parse<StoreOpKind>(how), first) }]);

        var known = await WriteKnownAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2")), StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-2", "w3")));

        Assert.Equal([new("order-1", first)], known);
    }

    [Fact]
    public async Task AcceptKeyed_AfterDrop_IsNew()
    {
        var store = await ServingAsync();
        var first = Keyed("order-1", "w1");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, first), StoreOp.Of(StoreOpKind.DropTask, first));

        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
    }

    [Fact]
    public async Task Drop_RefusedKeyedTask_LeavesTheFirst()
    {
        var store = await ServingAsync();
        var second = Keyed("order-1", "w2");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")), StoreOp.Of(StoreOpKind.AcceptTask, second));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.DropTask, second));

        Assert.Equal("w1", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).WireId.Value);
        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, second)));
    }

    [Fact]
    public async Task Settle_Repeated_CountsOnce()
    {
        var store = await ServingAsync();
        var done = Task("t1") with { State = TaskState.Done, Attempts = 1, Result = RawJson.Of(10.5m) };
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, done));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, done));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((1, 0), (stored.Done, stored.Tasks.Count));
        Assert.Equal(done, await store.FindSettledAsync("t1", Stop));
    }

    [Fact]
    public async Task Cancel_Repeated_IsAResultThatIsNotCounted()
    {
        var store = await ServingAsync();
        var cancelled = Task("t1") with { State = TaskState.Cancelled, IsCancelRequested = true, Attempts = 1, Error = "cancelled" };
        StoreOp[] batch = [StoreOp.Of(StoreOpKind.UpdateTask, Task("t1") with { IsCancelRequested = true }), StoreOp.Of(StoreOpKind.CancelTask, cancelled)];
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));

        await WriteAsync(store, batch);
        await WriteAsync(store, batch);

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((0, 0), (stored.Done, stored.Dead));
        Assert.Equal("t2", Assert.Single(stored.Tasks).Id);
        Assert.Equal(cancelled, await store.FindSettledAsync("t1", Stop));
    }

    [Fact]
    public async Task Update_CancelRequested_IsLoaded()
    {
        var store = await ServingAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.UpdateTask, Task("t1") with { IsCancelRequested = true }));

        Assert.True(Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).IsCancelRequested);
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
    public async Task Update_AfterSettle_DoesNotBringTheTaskBack()
    {
        var store = await ServingAsync();
        StoreOp[] batch = [StoreOp.Of(StoreOpKind.UpdateTask, Task("t1") with { Attempts = 1 }), StoreOp.Of(StoreOpKind.SettleTask, Task("t1"))];
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));

        await WriteAsync(store, batch);
        await WriteAsync(store, batch);

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((1, 0), (stored.Done, stored.Tasks.Count));
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
        Assert.Equal(250, await store.CountDeadAsync(Stop));

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
        Assert.Equal(250 - (2 * pages), await store.CountDeadAsync(Stop));
    }

    [Fact]
    public async Task DeleteDeadLetter_Repeated_ReportsThatThereIsNone()
    {
        var store = await ServingAsync();
        await WriteAsync(store, [.. DeadLetter(Keyed("order-1", "w1")), .. DeadLetter(Task("t2"))]);

        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.DeleteDeadLetter, Keyed("order-1", "w1"))));
        Assert.Equal([StoreOp.MissingDeadLetterKey(new TaskId("w1"))], await WriteAsync(store, StoreOp.Of(StoreOpKind.DeleteDeadLetter, Keyed("order-1", "w1"))));

        Assert.Null(await store.FindSettledAsync("order-1", Stop));
        Assert.Equal("t2", Assert.Single(await store.ListDeadAsync(10, Stop)).Id);
        Assert.Equal(1, (await store.LoadAsync(Self, Stop)).Dead);
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
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

    [Fact]
    public async Task Loans_PutAgainAndDropped_AreAsLastWritten()
    {
        var store = await ServingAsync();
        var offered = new LoanRecord(new WorkerId("a"), LoanRole.Owner, new ServerId("server-b"), LoanState.Offered, Then, Then)
        {
            Borrower = new MeshEndpoint("127.0.0.1", 9002),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        };
        var lent = offered with { State = LoanState.Lent, Since = Then.AddSeconds(1) };
        var borrowed = new LoanRecord(new WorkerId("b"), LoanRole.Borrower, new ServerId("server-c"), LoanState.Arrived, Then, Then);

        await WriteAsync(store, StoreOp.Of(StoreOpKind.PutLoan, offered), StoreOp.Of(StoreOpKind.PutLoan, borrowed));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.PutLoan, lent), StoreOp.Of(StoreOpKind.DropLoan, borrowed));

        Assert.Equal(lent, Assert.Single((await store.LoadAsync(Self, Stop)).Loans));
    }

    [Fact]
    public async Task Restore_LostTask_IsThereAgainUnderItsKey()
    {
        var store = await ServingAsync();
        var task = Keyed("order-1", "w1") with { Attempts = 1 };

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, task), StoreOp.Of(StoreOpKind.RestoreTask, task));

        Assert.Equal(task, Assert.Single((await store.LoadAsync(Self, Stop)).Tasks));
        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
    }

    [Fact]
    public async Task Restore_TaskWithAResult_ChangesNothing()
    {
        var store = await ServingAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.SettleTask, Task("t1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, Task("t1")));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Empty(stored.Tasks);
        Assert.Equal(1, stored.Done);
    }

    [Fact]
    public async Task Restore_DeadLetterThatHadBeenRevived_IsUnsettled()
    {
        var store = await ServingAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, Task("t1") with { State = TaskState.Dead }));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, Task("t1") with { WireId = new TaskId("w2") }));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal("w2", Assert.Single(stored.Tasks).WireId.Value);
        Assert.Equal(0, stored.Dead);
    }

    [Fact]
    public async Task Schedules_PutAgainAndDropped_AreAsLastWritten()
    {
        var store = await ServingAsync();
        var task = Task("") with { Type = TaskType.Parse("RESIZE")!.Value, User = null, Payload = RawJson.Of(7), Priority = 9, Limits = new(3, TimeSpan.FromMinutes(1), null) };
        var nightly = ScheduleTests.Schedule("nightly", "*/5 * * * *") with { Task = task, Since = Then };
        var fired = nightly with { LastFired = Then.AddMinutes(5), LastTask = "schedule:nightly:2026-01-02T03:05:00Z" };

        await WriteAsync(store, StoreOp.Of(StoreOpKind.PutSchedule, nightly), StoreOp.Of(StoreOpKind.PutSchedule, nightly with { Name = "hourly" }));
        Assert.Equal(["hourly", "nightly"], (await store.LoadAsync(Self, Stop)).Schedules.Select(schedule => schedule.Name).Order());
        await WriteAsync(store, StoreOp.Of(StoreOpKind.PutSchedule, fired), StoreOp.Of(StoreOpKind.DropSchedule, nightly with { Name = "hourly" }));

        Assert.Equal(fired, Assert.Single((await store.LoadAsync(Self, Stop)).Schedules));
    }

    [Fact]
    public async Task PutSchedule_WithATask_AcceptsTheTaskOnce()
    {
        var store = await ServingAsync();
        var schedule = ScheduleTests.Schedule("nightly", "*/5 * * * *");
        var (first, second) = (Keyed("schedule:nightly:1", "w1"), Keyed("schedule:nightly:1", "w2"));
        var fire = StoreOp.Of(StoreOpKind.PutSchedule, schedule with { LastFired = Then }) with { Task = first };

        Assert.Empty(await WriteAsync(store, fire));
        Assert.Empty(await WriteAsync(store, fire));
        var known = await WriteKnownAsync(store, fire with { Task = second });

        Assert.Equal([new("schedule:nightly:1", first)], known);
        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal(first, Assert.Single(stored.Tasks));
        Assert.Equal(Then, Assert.Single(stored.Schedules).LastFired);
    }

    [Fact]
    public async Task PutSchedule_TaskIsSettledBefore_IsReportedAndPutsTheSchedule()
    {
        var store = await ServingAsync();
        var task = Keyed("schedule:nightly:1", "w1");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.SettleTask, task));

        var known = await WriteAsync(store, StoreOp.Of(StoreOpKind.PutSchedule, ScheduleTests.Schedule("nightly", "*/5 * * * *")) with { Task = task with { WireId = new TaskId("w2") } });

        Assert.Equal(["schedule:nightly:1"], known);
        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((0, 1), (stored.Tasks.Count, stored.Schedules.Count));
    }

    [Fact]
    public async Task PutSchedule_AmongManyChanges_UsesTheRightKeys()
    {
        var store = await ServingAsync();
        var schedule = ScheduleTests.Schedule("nightly", "*/5 * * * *");

        await WriteAsync(
            store,
            StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")),
            StoreOp.Of(StoreOpKind.PutSchedule, schedule) with { Task = Keyed("schedule:nightly:1", "w2") },
            StoreOp.Of(StoreOpKind.SettleTask, Keyed("order-1", "w1")),
            StoreOp.Of(StoreOpKind.PutSchedule, schedule with { Name = "hourly" }),
            StoreOp.Of(StoreOpKind.SettleTask, Keyed("schedule:nightly:1", "w2")),
            StoreOp.Of(StoreOpKind.DropSchedule, schedule with { Name = "hourly" }));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((0, 2, "nightly"), (stored.Tasks.Count, stored.Done, Assert.Single(stored.Schedules).Name));
        Assert.NotNull(await store.FindSettledAsync("order-1", Stop));
        Assert.NotNull(await store.FindSettledAsync("schedule:nightly:1", Stop));
    }

    private async Task<IMeshStore> ServingAsync()
    {
        var store = (await _place.CreateAsync())("server-a");
        await AcquireLeaseAsync(store, Self, "self");
        return store;
    }

    private static StoreOp[] DeadLetter(TaskRecord task) => [StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task with { State = TaskState.Dead })];
}
