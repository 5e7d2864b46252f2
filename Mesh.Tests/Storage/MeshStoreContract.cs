using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Storage;

namespace Mesh.Tests.Storage;

/// <summary>What every <see cref="IMeshStore"/> must do.</summary>
public abstract class MeshStoreContract
{
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly ServerId Self = new("server-a");

    /// <summary>An empty place; gives the store of a server of that id in it, or of a further process of the same id.</summary>
    private protected abstract Task<Func<string, IMeshStore>> CreateAsync();

    /// <summary>The store of server-a in an empty place, over a network that holds up a write.</summary>
    private protected abstract Task<LateWrites> CreateLateAsync();

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
    [InlineData(nameof(StoreOpKind.BuryTask))]
    public async Task AcceptKeyed_SettledBefore_IsKnown(string how)
    {
        var store = await ServingAsync();
        var first = Keyed("order-1", "w1");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, first), StoreOp.Of(Enum.Parse<StoreOpKind>(how), first));

        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
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
        var done = Task("t1") with { State = TaskState.Done, Attempts = 1, Result = 10.5m };
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, done));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.SettleTask, done));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((1, 0), (stored.Done, stored.Tasks.Count));
        Assert.Equal(done, await store.FindSettledAsync("t1", Stop));
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
    public async Task Bury_ThenRevive_IsUnsettledUnderItsNewWireId()
    {
        var store = await ServingAsync();
        var dead = Task("t1") with { State = TaskState.Dead, Attempts = 3, Error = "unknown user" };
        var again = dead with { WireId = new TaskId("w2"), State = TaskState.Queued, Attempts = 0, Error = null };
        StoreOp[] batch = [StoreOp.Of(StoreOpKind.BuryTask, dead), StoreOp.Of(StoreOpKind.ReviveTask, again)];
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
    public async Task Revive_OfATaskThatIsNotDead_IsToldAndChangesNothing()
    {
        var store = await ServingAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.SettleTask, Task("t1")));

        var told = await WriteAsync(store, StoreOp.Of(StoreOpKind.ReviveTask, Task("t1") with { WireId = new TaskId("w2") }));

        Assert.Equal(["t1"], told);
        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
    }

    [Fact]
    public async Task Revive_ThenSettle_LeavesNothingUnsettled()
    {
        var store = await ServingAsync();
        var again = Keyed("order-1", "w2");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")), StoreOp.Of(StoreOpKind.BuryTask, Keyed("order-1", "w1")));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.ReviveTask, again), StoreOp.Of(StoreOpKind.SettleTask, again));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((1, 0, 0), (stored.Done, stored.Tasks.Count, stored.Dead));
        Assert.Equal(["order-1"], await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w3"))));
    }

    [Fact]
    public async Task ListDead_MoreThanTheLimit_GivesTheOldest()
    {
        var store = await ServingAsync();
        for (var i = 20; i > 0; i--)
        {
            await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task($"t{i}", i)), StoreOp.Of(StoreOpKind.BuryTask, Task($"t{i}", i)));
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
    public async Task Write_ThatArrivesBehindALaterOne_ChangesNothing()
    {
        var (store, holdNext, arriveAsync) = await CreateLateAsync();
        await ClaimAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);
        var accept = StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1"));
        holdNext();
        await Assert.ThrowsAsync<StoreAwayException>(() => WriteAsync(store, accept));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.DropTask, accept.Task!));
        await WriteAsync(store);

        await arriveAsync();

        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
        Assert.Equal("w2", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).WireId.Value);
    }

    [Fact]
    public async Task Write_ThatArrivesBeforeTheNext_IsApplied()
    {
        var (store, holdNext, arriveAsync) = await CreateLateAsync();
        await ClaimAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);
        holdNext();
        await Assert.ThrowsAsync<StoreAwayException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1"))));

        await arriveAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));

        Assert.Equal(["t1", "t2"], (await store.LoadAsync(Self, Stop)).Tasks.Select(task => task.Id).Order());
    }

    [Fact]
    public async Task Claim_OfAnother_IsHeldAndTellsWho()
    {
        var servers = await CreateAsync();
        await ClaimAsync(servers("server-a"), Self, "first");

        var answer = await servers("server-a").ClaimAsync(Self, Holder("second"), gone: null, Stop);

        Assert.Equal((ClaimResult.Held, Holder("first")), (answer.Result, answer.Holder));
    }

    [Fact]
    public async Task Claim_Released_IsFree()
    {
        var servers = await CreateAsync();
        var (first, second) = (servers("server-a"), servers("server-a"));
        await ClaimAsync(first, Self, "first");

        await first.ReleaseAsync(Self, Stop);
        await ClaimAsync(second, Self, "second");
        await first.ReleaseAsync(Self, Stop);

        Assert.Equal(ClaimState.Held, await second.RenewAsync(Self, Stop));
    }

    [Fact]
    public async Task Claim_WhoseHolderIsGone_PassesAtOnceAndFencesWhatTheOldOneWrites()
    {
        var servers = await CreateAsync();
        var (first, second) = (servers("server-a"), servers("server-a"));
        await ClaimAsync(first, Self, "first");
        var held = await second.ClaimAsync(Self, Holder("second"), gone: null, Stop);

        Assert.Equal(ClaimResult.Taken, (await second.ClaimAsync(Self, Holder("second"), held.Epoch, Stop)).Result);

        var lost = await Assert.ThrowsAsync<ClaimLostException>(() => WriteAsync(first, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1"))));
        Assert.Contains("second", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ClaimLostException>(() => first.RenewAsync(Self, Stop));
        Assert.Empty((await second.LoadAsync(Self, Stop)).Tasks);
        Assert.Equal(ClaimResult.Held, (await first.ClaimAsync(Self, Holder("first"), held.Epoch, Stop)).Result);
    }

    [Fact]
    public async Task Adopt_AServerThatIsNotHereOrHasNothing_IsRefused()
    {
        var servers = await CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        Assert.Equal(ClaimResult.Unknown, (await b.ClaimAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);

        await ClaimAsync(a, Self, "a");
        Assert.Equal(ClaimResult.Held, (await b.ClaimAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);
        await a.ReleaseAsync(Self, Stop);

        Assert.Equal(ClaimResult.Empty, (await b.ClaimAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);
    }

    [Fact]
    public async Task Adopt_TasksAndDeadLetters_AreServedThereUntilTheOwnerTakesThemBack()
    {
        var servers = await CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        await ClaimAsync(a, Self, "a");
        await ClaimAsync(b, new ServerId("server-b"), "b", "server-b");
        await WriteAsync(a, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t3")),
            StoreOp.Of(StoreOpKind.BuryTask, Task("t2") with { State = TaskState.Dead }), StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")));
        await a.ReleaseAsync(Self, Stop);

        await ClaimAsync(b, Self, "b", "server-b");
        var adopted = (await b.LoadAsync(Self, Stop)).Tasks.ToDictionary(task => task.Id);
        Assert.All(adopted.Values, task => Assert.Equal(Self, task.Keeper));
        Assert.Equal(Self, Assert.Single(await b.ListDeadAsync(10, Stop)).Keeper);
        Assert.Empty(await WriteAsync(
            b, StoreOp.Of(StoreOpKind.SettleTask, adopted["t1"]), StoreOp.Of(StoreOpKind.AcceptTask, Task("own")), StoreOp.Of(StoreOpKind.SettleTask, adopted["order-1"])));
        Assert.Equal(Self, (await b.FindSettledAsync("t1", Stop))!.Keeper);

        Assert.Equal(ClaimResult.Held, (await a.ClaimAsync(Self, Holder("a2"), gone: null, Stop)).Result);
        Assert.Equal(ClaimState.Wanted, await b.RenewAsync(Self, Stop));
        await b.ReleaseAsync(Self, Stop);
        await ClaimAsync(a, Self, "a2");

        // What the adopter still writes is left out, and what it revives is told.
        var revived = Task("t2") with { WireId = new TaskId("w2"), Keeper = Self };
        Assert.Equal(["w2"], await WriteAsync(
            b, StoreOp.Of(StoreOpKind.SettleTask, adopted["t3"]), StoreOp.Of(StoreOpKind.ReviveTask, revived), StoreOp.Of(StoreOpKind.SettleTask, Task("own"))));
        var back = await a.LoadAsync(Self, Stop);
        Assert.Equal("t3", Assert.Single(back.Tasks).Id);
        Assert.Equal((2, 1), (back.Done, back.Dead));
        Assert.Equal(["order-1"], await WriteAsync(a, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w9"))));
        Assert.Null(await b.FindSettledAsync("t1", Stop));
        Assert.Equal(TaskState.Queued, (await b.FindSettledAsync("own", Stop))!.State);
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
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.BuryTask, Task("t1") with { State = TaskState.Dead }));

        await WriteAsync(store, StoreOp.Of(StoreOpKind.RestoreTask, Task("t1") with { WireId = new TaskId("w2") }));

        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal("w2", Assert.Single(stored.Tasks).WireId.Value);
        Assert.Equal(0, stored.Dead);
    }

    private protected static ClaimHolder Holder(string instance, string server = "server-a") => new(new ServerId(server), instance, "127.0.0.1:9001", Process: null);

    internal static async Task ClaimAsync(IMeshStore store, ServerId server, string instance, string own = "server-a") =>
        Assert.Equal(ClaimResult.Taken, (await store.ClaimAsync(server, Holder(instance, own), gone: null, Stop)).Result);

    private async Task<IMeshStore> ServingAsync()
    {
        var store = (await CreateAsync())("server-a");
        await ClaimAsync(store, Self, "self");
        return store;
    }

    private static TaskRecord Task(string id, long sequence = 1) => new(id, new TaskId(id), TaskType.Query, "maria", Amount: null, sequence);

    private static TaskRecord Keyed(string id, string wireId) =>
        new(id, new TaskId(wireId), TaskType.Query, "maria", Amount: null, Sequence: 1) { Keyed = true };

    internal static Task<IReadOnlySet<string>> WriteAsync(IMeshStore store, params StoreOp[] ops)
    {
        var batch = new StoreBatch();
        batch.Ops.AddRange(ops);
        return store.WriteAsync(batch, Stop);
    }
}
