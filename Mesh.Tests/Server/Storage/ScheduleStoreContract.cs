using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Storage;
using Mesh.Tests.Core.Schedules;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>The tests of schedules that each <see cref="IMeshStore"/> passes.</summary>
public abstract class ScheduleStoreContract : StoreContract
{
    private protected ScheduleStoreContract(IStoreBackend place)
        : base(place)
    {
    }

    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task Schedules_PutAgainAndDropped_AreAsLastWritten()
    {
        var store = await ServingAsync();
        var task = Task("") with { Type = TaskType.Parse("RESIZE")!.Value, User = null, Payload = RawJson.Of(7), Priority = 9, Limits = new(3, TimeSpan.FromMinutes(1), null) };
        var nightly = ScheduleSamples.Schedule("nightly", "*/5 * * * *") with { Task = task, Since = Then };
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
        var schedule = ScheduleSamples.Schedule("nightly", "*/5 * * * *");
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

        var known = await WriteAsync(store, StoreOp.Of(StoreOpKind.PutSchedule, ScheduleSamples.Schedule("nightly", "*/5 * * * *")) with { Task = task with { WireId = new TaskId("w2") } });

        Assert.Equal(["schedule:nightly:1"], known);
        var stored = await store.LoadAsync(Self, Stop);
        Assert.Equal((0, 1), (stored.Tasks.Count, stored.Schedules.Count));
    }

    [Fact]
    public async Task PutSchedule_AmongManyChanges_UsesTheRightKeys()
    {
        var store = await ServingAsync();
        var schedule = ScheduleSamples.Schedule("nightly", "*/5 * * * *");

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
}
