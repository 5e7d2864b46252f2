using Mesh.Server.Core.Persistence;
using static Mesh.Tests.Core.Schedules.ScheduleSamples;

namespace Mesh.Tests.Core.Schedules;

/// <summary>The writes of schedules and their times, also when they fail or the store loses them.</summary>
public sealed class ScheduleStoreTests : ScheduleTestBase
{
    [Fact]
    public void Write_OfATimeFails_IsRepeatedWithTheSameTask()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute);
        Harness.FailStore();

        Harness.Store();

        var op = Assert.Single(Harness.Stored, op => op.Task is not null);
        Assert.Equal((StoreOpKind.PutSchedule, At(1)), (op.Kind, op.Schedule!.LastFired));
        Assert.Equal(op.Task!.WireId, Assert.Single(Fired()).Task.WireId);
        Assert.Equal(1, Harness.Core.QueueDepth);
    }

    [Fact]
    public void Write_ScheduleReplacedAndDeletedAfterAFailedTime_KeepsTheTaskAndTheLastChange()
    {
        Put("nightly", "* * * * *");
        Put("hourly", "0 * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute);
        Put("nightly", "*/2 * * * *");
        Delete("hourly");
        Harness.FailStore();
        var before = Harness.Stored.Count;

        Harness.Store();

        var ops = Harness.Stored[before..].Where(op => op.Schedule is not null).ToList();
        Assert.Equal(
            [(StoreOpKind.PutSchedule, "nightly", true), (StoreOpKind.PutSchedule, "nightly", false), (StoreOpKind.DropSchedule, "hourly", false)],
            ops.Select(op => (op.Kind, op.Schedule!.Name, op.Task is not null)));
        Assert.Equal(("*/2 * * * *", At(1)), (ops[1].Schedule!.Times.Cron, ops[1].Schedule!.LastFired));
    }

    [Fact]
    public void StoreRolledBack_Schedules_AreWrittenAgain()
    {
        Put("nightly", "* * * * *");
        Put("replaced", "* * * * *");
        Harness.Pass(Minute);
        var before = Harness.Stored.Count;

        Harness.RollBackStore(new StoredState
        {
            Schedules = [Schedule("replaced", "*/9 * * * *"), Schedule("deleted", "* * * * *")],
        });

        var ops = Harness.Stored[before..].Where(op => op.Schedule is not null).Select(op => (op.Kind, op.Schedule!.Name, op.Schedule.LastFired)).Order();
        Assert.Equal(
            [(StoreOpKind.PutSchedule, "nightly", At(1)), (StoreOpKind.PutSchedule, "replaced", At(1)), (StoreOpKind.DropSchedule, "deleted", (DateTimeOffset?)null)], ops);
        Harness.Pass(Minute);
        Assert.Equal([At(1), At(1), At(2), At(2)], Fired().Select(fired => fired.Time));
    }

    [Fact]
    public void StoreRolledBack_TimeThatWasBeingStored_FiresOnce()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute);

        Harness.RollBackStore(new StoredState { Schedules = [Schedule("nightly", "* * * * *")] });
        Harness.Pass(TimeSpan.FromSeconds(30));

        Assert.Equal(At(1), Assert.Single(Fired()).Time);
        Assert.Equal(At(1), Harness.Stored.Last(op => op.Schedule is not null).Schedule!.LastFired);
        Assert.Single(Harness.Stored.Where(op => op.Task is not null).Select(op => op.Task!.WireId).Distinct());
    }
}
