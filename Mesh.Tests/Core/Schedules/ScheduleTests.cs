using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using static Mesh.Tests.Core.Schedules.ScheduleSamples;

namespace Mesh.Tests.Core.Schedules;

/// <summary>When schedules fire, and which tasks they submit.</summary>
public sealed class ScheduleTests : ScheduleTestBase
{
    [Fact]
    public void Schedule_EachTime_FiresOnce()
    {
        Put("nightly", "*/5 * * * *");

        Harness.Pass(Minute * 16);

        Assert.Equal(["schedule:nightly:2026-01-01T00:05:00Z", "schedule:nightly:2026-01-01T00:10:00Z", "schedule:nightly:2026-01-01T00:15:00Z"], Fired().Select(fired => fired.Task.Id));
        Assert.Equal(3, Harness.Core.QueueDepth);
        var status = Harness.Core.FindSchedule("nightly")!;
        Assert.Equal((At(20), At(15), "schedule:nightly:2026-01-01T00:15:00Z"), (status.Next, status.Record.LastFired, status.Record.LastTask));
        Assert.All(Harness.Events.OfType<ScheduleFired>(), fired => Assert.Equal(0, fired.Skipped));
    }

    [Fact]
    public void Schedule_Time_IsStoredInTheSameChangeAsItsTask()
    {
        Put("nightly", "*/5 * * * *");

        Harness.Pass(Minute * 5);

        var op = Assert.Single(Harness.Stored, op => op.Task is not null);
        Assert.Equal((StoreOpKind.PutSchedule, At(5), true), (op.Kind, op.Schedule!.LastFired, op.Task!.Keyed));
        Assert.Equal(op.Schedule.LastTask, op.Task.Id);
    }

    [Fact]
    public void Schedule_Task_HasTheFieldsOfTheScheduleAndAWireIdOfItsOwn()
    {
        var template = Schedule("resize", "* * * * *") with { Task = Template(TaskType.Parse("RESIZE")!.Value) with { Payload = RawJson.Of(7), Priority = 9 } };
        Harness.Submit(Change(template));

        Harness.Pass(Minute * 2);

        var tasks = Harness.Stored.Where(op => op.Task is not null).Select(op => op.Task!).ToList();
        Assert.All(tasks, task => Assert.Equal(("RESIZE", RawJson.Of(7), (byte)9), (task.Type.Name, task.Payload, task.Priority)));
        Assert.Equal(2, tasks.Select(task => task.WireId).Distinct().Count());
        Assert.All(tasks, task => Assert.Equal(32, task.WireId.Value.Length));
    }

    [Fact]
    public void Schedule_TaskIsStored_ThenDispatched()
    {
        Put("nightly", "* * * * *");
        Harness.Pass(TimeSpan.FromSeconds(50));
        var session = Harness.Ask("w1");
        Harness.HoldStore = true;
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(Harness.To(session));

        Harness.Store();

        Assert.Equal(TaskType.Query, Harness.Last<NewTask>(session).Type);
    }

    [Fact]
    public void Schedule_PreviousTimeIsNotStoredYet_WaitsForIt()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute * 4);

        Harness.Store();
        Harness.Pass(TimeSpan.Zero);

        Assert.Equal([At(1), At(4)], Fired().Select(fired => fired.Time));
        Assert.Equal([0, 2], Fired().Select(fired => fired.Skipped));
    }

    [Fact]
    public void Id_OfATaskThatTheStoreKnows_CountsAsFired()
    {
        Put("nightly", "* * * * *");
        Harness.Know("schedule:nightly:2026-01-01T00:01:00Z");

        Harness.Pass(Minute * 2);

        Assert.Equal(At(2), Assert.Single(Fired()).Time);
        Assert.Equal(1, Harness.Core.QueueDepth);
    }

    [Fact]
    public void Id_OfAnUnsettledTask_CountsAsFired()
    {
        Put("nightly", "* * * * *");
        Harness.Submit(1, id: "schedule:nightly:2026-01-01T00:01:00Z");

        Harness.Pass(Minute);

        Assert.Empty(Fired());
        Assert.Equal((1, At(1)), (Harness.Core.QueueDepth, Harness.Core.FindSchedule("nightly")!.Record.LastFired));
    }

    [Fact]
    public void Id_OfATaskThatIsBeingStored_WaitsForItsOutcome()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Submit(1, id: "schedule:nightly:2026-01-01T00:01:00Z");
        Harness.Pass(Minute);
        Harness.FailStore();
        Harness.Store();

        Harness.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(At(1), Assert.Single(Fired()).Time);
    }

    [Fact]
    public void NextDueTime_ManySchedules_IsThatOfTheFirst()
    {
        Put("late", "30 * * * *");
        Put("early", "10 * * * *");
        Put("later", "50 * * * *");

        Assert.True(Harness.Core.NextDueTime <= At(10));
        Harness.Pass(Minute * 60);

        Assert.Equal(["early", "late", "later"], Fired().Select(fired => fired.Schedule));
    }
}
