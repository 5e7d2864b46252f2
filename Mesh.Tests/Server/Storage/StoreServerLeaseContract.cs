using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Tests.Core.Schedules;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of claims that each <see cref="IMeshStore"/> passes: it applies the writes of the claim's holder only, and each before the next one.</summary>
public abstract class StoreServerLeaseContract
{
    private readonly IStoreBackend _place;

    private protected StoreServerLeaseContract(IStoreBackend place) => _place = place;

    [Fact]
    public async Task Write_ArrivesAfterLaterOne_ChangesNothing()
    {
        var (store, holdNext, arriveAsync) = await _place.CreateLateAsync();
        await AcquireLeaseAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);
        var accept = StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1"));
        holdNext();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => WriteAsync(store, accept));
        await WriteAsync(store, StoreOp.Of(StoreOpKind.DropTask, accept.Task!));
        await WriteAsync(store);

        await arriveAsync();

        Assert.Empty((await store.LoadAsync(Self, Stop)).Tasks);
        Assert.Empty(await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w2"))));
        Assert.Equal("w2", Assert.Single((await store.LoadAsync(Self, Stop)).Tasks).WireId.Value);
    }

    [Fact]
    public async Task Write_ArrivesBeforeTheNext_IsApplied()
    {
        var (store, holdNext, arriveAsync) = await _place.CreateLateAsync();
        await AcquireLeaseAsync(store, Self, "self");
        await store.LoadAsync(Self, Stop);
        holdNext();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1"))));

        await arriveAsync();
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")));

        Assert.Equal(["t1", "t2"], (await store.LoadAsync(Self, Stop)).Tasks.Select(task => task.Id).Order());
    }

    [Fact]
    public async Task Lease_HeldByAnother_ReturnsItsHolder()
    {
        var servers = await _place.CreateAsync();
        await AcquireLeaseAsync(servers("server-a"), Self, "first");

        var answer = await servers("server-a").AcquireLeaseAsync(Self, Holder("second"), gone: null, Stop);

        Assert.Equal((ServerLeaseAcquireStatus.Held, Holder("first")), (answer.Result, answer.Holder));
    }

    [Fact]
    public async Task Lease_Released_CanBeAcquired()
    {
        var servers = await _place.CreateAsync();
        var (first, second) = (servers("server-a"), servers("server-a"));
        await AcquireLeaseAsync(first, Self, "first");

        await first.ReleaseLeaseAsync(Self, Stop);
        await AcquireLeaseAsync(second, Self, "second");
        await first.ReleaseLeaseAsync(Self, Stop);

        Assert.Equal(ServerLeaseRenewStatus.Held, await second.RenewLeaseAsync(Self, Stop));
    }

    [Fact]
    public async Task Lease_HolderGone_IsAcquiredImmediatelyAndFencesOldWrites()
    {
        var servers = await _place.CreateAsync();
        var (first, second) = (servers("server-a"), servers("server-a"));
        await AcquireLeaseAsync(first, Self, "first");
        var held = await second.AcquireLeaseAsync(Self, Holder("second"), gone: null, Stop);

        Assert.Equal(ServerLeaseAcquireStatus.Acquired, (await second.AcquireLeaseAsync(Self, Holder("second"), held.FencingToken, Stop)).Result);

        var lost = await Assert.ThrowsAsync<ServerLeaseLostException>(() => WriteAsync(first, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1"))));
        Assert.Contains("second", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ServerLeaseLostException>(() => first.RenewLeaseAsync(Self, Stop));
        Assert.Empty((await second.LoadAsync(Self, Stop)).Tasks);
        Assert.Equal(ServerLeaseAcquireStatus.Held, (await first.AcquireLeaseAsync(Self, Holder("first"), held.FencingToken, Stop)).Result);
    }

    [Fact]
    public async Task Adopt_UnknownServerOrEmptyState_IsRefused()
    {
        var servers = await _place.CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        Assert.Equal(ServerLeaseAcquireStatus.Unknown, (await b.AcquireLeaseAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);

        await AcquireLeaseAsync(a, Self, "a");
        Assert.Equal(ServerLeaseAcquireStatus.Held, (await b.AcquireLeaseAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);
        await a.ReleaseLeaseAsync(Self, Stop);

        Assert.Equal(ServerLeaseAcquireStatus.Empty, (await b.AcquireLeaseAsync(Self, Holder("b", "server-b"), gone: null, Stop)).Result);
    }

    [Fact]
    public async Task Adopt_TasksAndDeadLetters_AreServedThereUntilTheOwnerTakesThemBack()
    {
        var servers = await _place.CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        await AcquireLeaseAsync(a, Self, "a");
        await AcquireLeaseAsync(b, new ServerId("server-b"), "b", "server-b");
        await WriteAsync(a, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t3")),
            StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, Task("t2") with { State = TaskState.Dead }), StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")));
        await a.ReleaseLeaseAsync(Self, Stop);

        await AcquireLeaseAsync(b, Self, "b", "server-b");
        var adopted = (await b.LoadAsync(Self, Stop)).Tasks.ToDictionary(task => task.Id);
        Assert.All(adopted.Values, task => Assert.Equal(Self, task.StoredBy));
        Assert.Equal(Self, Assert.Single(await b.ListDeadAsync(10, Stop)).StoredBy);
        Assert.Empty(await WriteAsync(
            b, StoreOp.Of(StoreOpKind.SettleTask, adopted["t1"]), StoreOp.Of(StoreOpKind.AcceptTask, Task("own")), StoreOp.Of(StoreOpKind.SettleTask, adopted["order-1"])));
        Assert.Equal(Self, (await b.FindSettledAsync("t1", Stop))!.StoredBy);

        Assert.Equal(ServerLeaseAcquireStatus.Held, (await a.AcquireLeaseAsync(Self, Holder("a2"), gone: null, Stop)).Result);
        Assert.Equal(ServerLeaseRenewStatus.HandbackRequested, await b.RenewLeaseAsync(Self, Stop));
        await b.ReleaseLeaseAsync(Self, Stop);
        await AcquireLeaseAsync(a, Self, "a2");

        // Later writes of the adopter are not applied, and its retry of a dead letter is reported as known.
        var revived = Task("t2") with { WireId = new TaskId("w2"), StoredBy = Self };
        Assert.Equal(["w2"], await WriteAsync(
            b, StoreOp.Of(StoreOpKind.SettleTask, adopted["t3"]), StoreOp.Of(StoreOpKind.RetryDeadLetter, revived), StoreOp.Of(StoreOpKind.SettleTask, Task("own"))));
        var back = await a.LoadAsync(Self, Stop);
        Assert.Equal("t3", Assert.Single(back.Tasks).Id);
        Assert.Equal((2, 1), (back.Done, back.Dead));
        Assert.Equal(["order-1"], await WriteAsync(a, StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w9"))));
        Assert.Null(await b.FindSettledAsync("t1", Stop));
        Assert.Equal(TaskState.Queued, (await b.FindSettledAsync("own", Stop))!.State);
    }

    [Fact]
    public async Task Adopt_SettleWithThen_StoresFollowUpsWithTheOwnerWhileTheLeaseIsHeld()
    {
        var servers = await _place.CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        await AcquireLeaseAsync(a, Self, "a");
        await AcquireLeaseAsync(b, new ServerId("server-b"), "b", "server-b");
        await WriteAsync(a, StoreOp.Of(StoreOpKind.AcceptTask, Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Task("t2")), StoreOp.Of(StoreOpKind.AcceptTask, Keyed("order-1", "w1")));
        await a.ReleaseLeaseAsync(Self, Stop);
        await AcquireLeaseAsync(b, Self, "b", "server-b");
        var adopted = (await b.LoadAsync(Self, Stop)).Tasks.ToDictionary(task => task.Id);

        var known = await WriteKnownAsync(b, Settle("t1", Keyed("f1", "f1"), Keyed("order-1", "f2")), StoreOp.Of(StoreOpKind.AcceptTask, Task("own")));
        Assert.Equal("w1", known["f2"]!.WireId.Value);
        Assert.Single(known);
        await b.ReleaseLeaseAsync(Self, Stop);
        await AcquireLeaseAsync(a, Self, "a2");

        // The lease is lost: nothing is written, and the follow-up is reported as known.
        Assert.Equal(["f3"], await WriteAsync(b, Settle("t2", Keyed("f3", "f3"))));
        Assert.Equal(["f1", "t2", "w1"], (await a.LoadAsync(Self, Stop)).Tasks.Select(task => task.WireId.Value).Order());

        StoreOp Settle(string id, params TaskRecord[] then) =>
            StoreOp.Of(StoreOpKind.SettleTask, adopted[id]) with { Then = [.. then.Select(task => task with { StoredBy = Self })] };
    }

    [Fact]
    public async Task Adopt_SchedulesOnly_AreWrittenThereUntilTheOwnerTakesThemBack()
    {
        var servers = await _place.CreateAsync();
        var (a, b) = (servers("server-a"), servers("server-b"));
        await AcquireLeaseAsync(a, Self, "a");
        await AcquireLeaseAsync(b, new ServerId("server-b"), "b", "server-b");
        await WriteAsync(a, StoreOp.Of(StoreOpKind.PutSchedule, ScheduleSamples.Schedule("nightly", "* * * * *")));
        await a.ReleaseLeaseAsync(Self, Stop);

        await AcquireLeaseAsync(b, Self, "b", "server-b");
        var adopted = Assert.Single((await b.LoadAsync(Self, Stop)).Schedules);
        Assert.Equal(Self, adopted.StoredBy);
        var fire = StoreOp.Of(StoreOpKind.PutSchedule, adopted with { LastFired = adopted.Since.AddMinutes(1) }) with { Task = Keyed("schedule:nightly:1", "w1") with { StoredBy = Self } };
        Assert.Empty(await WriteAsync(b, fire, StoreOp.Of(StoreOpKind.PutSchedule, ScheduleSamples.Schedule("own", "* * * * *"))));
        Assert.Equal(["w2"], await WriteAsync(b, fire with { Task = fire.Task with { WireId = new TaskId("w2") } }));
        await b.ReleaseLeaseAsync(Self, Stop);
        await AcquireLeaseAsync(a, Self, "a2");

        // Later writes of the adopter are not applied, and reported.
        var late = fire with { Task = fire.Task with { Id = "schedule:nightly:2", WireId = new TaskId("w3") } };
        Assert.Equal(["schedule nightly of server-a", "w3"], (await WriteAsync(b, late, StoreOp.Of(StoreOpKind.DropSchedule, adopted))).Order(StringComparer.Ordinal));
        var back = await a.LoadAsync(Self, Stop);
        Assert.Equal(("w1", adopted.Since.AddMinutes(1)), (Assert.Single(back.Tasks).WireId.Value, Assert.Single(back.Schedules).LastFired));
        Assert.Equal("own", Assert.Single((await b.LoadAsync(new ServerId("server-b"), Stop)).Schedules).Name);
    }
}
