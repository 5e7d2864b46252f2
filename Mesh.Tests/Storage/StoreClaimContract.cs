using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Storage;
using static Mesh.Tests.Storage.StoreSteps;

namespace Mesh.Tests.Storage;

/// <summary>Whose writes every <see cref="IMeshStore"/> must take: the claim's holder's, and each before those that follow it.</summary>
public abstract class StoreClaimContract
{
    private readonly IStorePlace _place;

    private protected StoreClaimContract(IStorePlace place) => _place = place;

    [Fact]
    public async Task Write_ThatArrivesBehindALaterOne_ChangesNothing()
    {
        var (store, holdNext, arriveAsync) = await _place.CreateLateAsync();
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
        var (store, holdNext, arriveAsync) = await _place.CreateLateAsync();
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
        var servers = await _place.CreateAsync();
        await ClaimAsync(servers("server-a"), Self, "first");

        var answer = await servers("server-a").ClaimAsync(Self, Holder("second"), gone: null, Stop);

        Assert.Equal((ClaimResult.Held, Holder("first")), (answer.Result, answer.Holder));
    }

    [Fact]
    public async Task Claim_Released_IsFree()
    {
        var servers = await _place.CreateAsync();
        var (first, second) = (servers("server-a"), servers("server-a"));
        await ClaimAsync(first, Self, "first");

        await first.ReleaseAsync(Self, Stop);
        await ClaimAsync(second, Self, "second");
        await first.ReleaseAsync(Self, Stop);

        Assert.Equal(ClaimState.Held, await second.RenewAsync(Self, Stop));
    }

    [Fact]
    public async Task Claim_ThatHasExpired_IsRenewedAsLongAsNobodyTakesIt()
    {
        var expiry = TimeSpan.FromMilliseconds(1);
        var store = (await _place.CreateAsync(expiry))("server-a");
        await ClaimAsync(store, Self, "self");

        await System.Threading.Tasks.Task.Delay(10 * expiry, TimeProvider.System, Stop);

        Assert.Equal(ClaimState.Held, await store.RenewAsync(Self, Stop));
    }

    [Fact]
    public async Task Claim_WhoseHolderIsGone_PassesAtOnceAndFencesWhatTheOldOneWrites()
    {
        var servers = await _place.CreateAsync();
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
        var servers = await _place.CreateAsync();
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
        var servers = await _place.CreateAsync();
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
}
