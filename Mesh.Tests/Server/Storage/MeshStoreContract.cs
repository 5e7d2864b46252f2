using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of tasks and loans that each <see cref="IMeshStore"/> passes.</summary>
public abstract class MeshStoreContract : StoreContract
{
    private protected MeshStoreContract(IStoreBackend place)
        : base(place)
    {
    }

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

    /// <summary>Changes of one write share commands in Redis. Their effect is that of one write for each.</summary>
    [Fact]
    public async Task Write_ChangesOfAllKindsInAnyOrder_AreLikeOneWriteEach()
    {
        var create = await Place.CreateAsync();
        var (together, apart) = (create("server-a"), create("server-b"));
        await AcquireLeaseAsync(together, Self, "self");
        await AcquireLeaseAsync(apart, new ServerId("server-b"), "self", "server-b");
        for (var seed = 0; seed < 100; seed++)
        {
            StoreOp[] changes = [.. RandomChanges(new Random(seed), seed)];
            var known = await WriteAsync(together, changes);
            var knownApart = new List<string>();
            foreach (var change in changes)
            {
                knownApart.AddRange(await WriteAsync(apart, change));
            }

            var name = $"Seed {seed}: {string.Join(' ', changes.Select(change => $"{change.Kind}({change.Task!.Id}, {change.Task.WireId})"))}: ";
            Assert.Equal($"{name}{await DescribeAsync(apart, "server-b", knownApart, changes)}", $"{name}{await DescribeAsync(together, "server-a", known, changes)}");
        }
    }

    private static IEnumerable<StoreOp> RandomChanges(Random random, int seed)
    {
        TaskRecord[] tasks =
        [
            Keyed($"a-{seed}", $"a1-{seed}"), Keyed($"a-{seed}", $"a2-{seed}"), Keyed($"b-{seed}", $"b1-{seed}"), Keyed($"b-{seed}", $"b2-{seed}"), Task($"c-{seed}"), Task($"d-{seed}"),
        ];
        StoreOpKind[] kinds =
        [
            StoreOpKind.AcceptTask, StoreOpKind.AcceptTask, StoreOpKind.AcceptTask, StoreOpKind.SettleTask, StoreOpKind.SettleTask, StoreOpKind.UpdateTask, StoreOpKind.DropTask,
            StoreOpKind.MoveTaskToDeadLetters, StoreOpKind.CancelTask, StoreOpKind.RestoreTask,
        ];
        for (var left = random.Next(2, 16); left > 0; left--)
        {
            var kind = random.GetItems(kinds, 1)[0];
            var task = random.GetItems(tasks, 1)[0] with { Attempts = left };
            yield return StoreOp.Of(kind, kind == StoreOpKind.SettleTask ? task with { State = TaskState.Done, Result = RawJson.Of(1) } : task);
        }
    }

    private static async Task<string> DescribeAsync(IMeshStore store, string server, IEnumerable<string> known, StoreOp[] changes)
    {
        var stored = await store.LoadAsync(new ServerId(server), Stop);
        var settled = new List<TaskRecord?>();
        foreach (var id in changes.Select(change => change.Task!.Id).Distinct().Order(StringComparer.Ordinal))
        {
            settled.Add(await store.FindSettledAsync(id, Stop));
        }

        return $"done {stored.Done}, dead {stored.Dead}, known {string.Join(' ', known.Distinct().Order(StringComparer.Ordinal))}, "
            + $"unsettled {string.Join(' ', stored.Tasks.Select(task => $"{task.WireId}/{task.Attempts}").Order(StringComparer.Ordinal))}, "
            + $"settled {string.Join(' ', settled.Select(task => $"{task?.WireId}/{task?.State}/{task?.Attempts}"))}";
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
}
