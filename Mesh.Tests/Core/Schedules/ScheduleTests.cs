using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Schedules;

/// <summary>When schedules fire, and when they do not. The time starts at 2026-01-01T00:00:00Z.</summary>
public sealed class ScheduleTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private CoreHarness _core = new();

    [Fact]
    public void Schedule_EachTime_FiresOnce()
    {
        Put("nightly", "*/5 * * * *");

        _core.Pass(Minute * 16);

        Assert.Equal(["schedule:nightly:2026-01-01T00:05:00Z", "schedule:nightly:2026-01-01T00:10:00Z", "schedule:nightly:2026-01-01T00:15:00Z"], FiredIds());
        Assert.Equal(3, _core.Core.QueueDepth);
        var status = _core.Core.FindSchedule("nightly")!;
        Assert.Equal((At(20), At(15), "schedule:nightly:2026-01-01T00:15:00Z"), (status.Next, status.Record.LastFired, status.Record.LastTask));
        Assert.All(_core.Events.OfType<ScheduleFired>(), fired => Assert.Equal(0, fired.Skipped));
    }

    [Fact]
    public void Schedule_Time_IsStoredInTheSameChangeAsItsTask()
    {
        Put("nightly", "*/5 * * * *");

        _core.Pass(Minute * 5);

        var op = Assert.Single(_core.Stored, op => op.Task is not null);
        Assert.Equal((StoreOpKind.PutSchedule, At(5), true), (op.Kind, op.Schedule!.LastFired, op.Task!.Keyed));
        Assert.Equal(op.Schedule.LastTask, op.Task.Id);
    }

    [Fact]
    public void Schedule_Task_HasTheFieldsOfTheScheduleAndAWireIdOfItsOwn()
    {
        var template = Schedule("resize", "* * * * *") with { Task = Template(TaskType.Parse("RESIZE")!.Value) with { Payload = RawJson.Of(7), Priority = 9 } };
        _core.Submit(Change(template));

        _core.Pass(Minute * 2);

        var tasks = _core.Stored.Where(op => op.Task is not null).Select(op => op.Task!).ToList();
        Assert.All(tasks, task => Assert.Equal(("RESIZE", RawJson.Of(7), (byte)9), (task.Type.Name, task.Payload, task.Priority)));
        Assert.Equal(2, tasks.Select(task => task.WireId).Distinct().Count());
        Assert.All(tasks, task => Assert.Equal(32, task.WireId.Value.Length));
    }

    [Fact]
    public void Schedule_TaskIsStored_ThenDispatched()
    {
        Put("nightly", "* * * * *");
        _core.Pass(TimeSpan.FromSeconds(50));
        var session = _core.Ask("w1");
        _core.HoldStore = true;
        _core.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(_core.To(session));

        _core.Store();

        Assert.Equal(TaskType.Query, _core.Last<NewTask>(session).Type);
    }

    [Fact]
    public void Schedule_PreviousTimeIsNotStoredYet_WaitsForIt()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute * 4);

        _core.Store();
        _core.Pass(TimeSpan.Zero);

        Assert.Equal([At(1), At(4)], Fired().Select(fired => fired.Time));
        Assert.Equal([0, 2], Fired().Select(fired => fired.Skipped));
    }

    [Fact]
    public void Restart_MissedTimes_FireOnceForTheLatest()
    {
        var stored = Schedule("nightly", "*/5 * * * *") with { Since = At(-60), LastFired = At(-60) };

        _core = new CoreHarness(stored: new StoredState { Schedules = [stored] });

        var fired = Assert.Single(Fired());
        Assert.Equal((At(0), 11), (fired.Time, fired.Skipped));
        _core.Pass(Minute * 5);
        Assert.Equal(At(5), Fired().Last().Time);
    }

    [Fact]
    public void Restart_TimeThatHasFired_DoesNotFireAgain()
    {
        _core = new CoreHarness(stored: new StoredState { Schedules = [Schedule("nightly", "*/5 * * * *") with { Since = At(-60), LastFired = At(0) }] });

        _core.Pass(Minute * 4);

        Assert.Empty(Fired());
    }

    [Fact]
    public void Restart_ClockSetBack_FiresLaterTimesOnly()
    {
        var stored = Schedule("nightly", "*/5 * * * *") with { Since = At(10), LastFired = At(20) };
        var neverFired = Schedule("new", "*/5 * * * *") with { Since = At(10) };
        _core = new CoreHarness(stored: new StoredState { Schedules = [stored, neverFired] });

        _core.Pass(Minute * 26);

        Assert.Equal([At(25)], Fired("nightly").Select(fired => fired.Time));
        Assert.Equal([At(5), At(10), At(15), At(20), At(25)], Fired("new").Select(fired => fired.Time));
    }

    [Fact]
    public void Pause_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        _core.Pause();
        _core.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        _core.Resume();
        _core.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void Stop_StoppingServer_DoesNotFire()
    {
        Put("nightly", "* * * * *");
        _core.Stop();

        _core.Pass(Minute * 3);

        Assert.Empty(Fired());
        Assert.Equal(At(1), _core.Core.FindSchedule("nightly")!.Next);
    }

    [Fact]
    public void Full_TimesInIt_FireOnceWhenThereIsRoom()
    {
        _core = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { Capacity = 2 } });
        Put("nightly", "* * * * *");
        _core.Submit(2);
        _core.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        var session = _core.Ask("w1");
        _core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = _core.Last<NewTask>(session).Id });
        _core.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void StoreUnavailable_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Submit(1);
        _core.FailStore();
        _core.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        _core.Store();
        _core.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void StoreNotDurable_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        _core.Core.OnStoreDurability(isDurable: false);
        _core.Pass(Minute * 2.5);
        Assert.Empty(Fired());

        _core.Core.OnStoreDurability(isDurable: true);
        _core.Pass(TimeSpan.Zero);

        Assert.Equal(At(2), Assert.Single(Fired()).Time);
    }

    [Fact]
    public void Write_OfATimeFails_IsRepeatedWithTheSameTask()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute);
        _core.FailStore();

        _core.Store();

        var op = Assert.Single(_core.Stored, op => op.Task is not null);
        Assert.Equal((StoreOpKind.PutSchedule, At(1)), (op.Kind, op.Schedule!.LastFired));
        Assert.Equal(op.Task!.WireId, Assert.Single(Fired()).Task.WireId);
        Assert.Equal(1, _core.Core.QueueDepth);
    }

    [Fact]
    public void Write_ScheduleReplacedAndDeletedAfterAFailedTime_KeepsTheTaskAndTheLastChange()
    {
        Put("nightly", "* * * * *");
        Put("hourly", "0 * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute);
        Put("nightly", "*/2 * * * *");
        Delete("hourly");
        _core.FailStore();
        var before = _core.Stored.Count;

        _core.Store();

        var ops = _core.Stored[before..].Where(op => op.Schedule is not null).ToList();
        Assert.Equal(
            [(StoreOpKind.PutSchedule, "nightly", true), (StoreOpKind.PutSchedule, "nightly", false), (StoreOpKind.DropSchedule, "hourly", false)],
            ops.Select(op => (op.Kind, op.Schedule!.Name, op.Task is not null)));
        Assert.Equal(("*/2 * * * *", At(1)), (ops[1].Schedule!.Times.Cron, ops[1].Schedule!.LastFired));
    }

    [Fact]
    public void Id_OfATaskThatTheStoreKnows_CountsAsFired()
    {
        Put("nightly", "* * * * *");
        _core.Know("schedule:nightly:2026-01-01T00:01:00Z");

        _core.Pass(Minute * 2);

        Assert.Equal(At(2), Assert.Single(Fired()).Time);
        Assert.Equal(1, _core.Core.QueueDepth);
    }

    [Fact]
    public void Id_OfAnUnsettledTask_CountsAsFired()
    {
        Put("nightly", "* * * * *");
        _core.Submit(1, id: "schedule:nightly:2026-01-01T00:01:00Z");

        _core.Pass(Minute);

        Assert.Empty(Fired());
        Assert.Equal((1, At(1)), (_core.Core.QueueDepth, _core.Core.FindSchedule("nightly")!.Record.LastFired));
    }

    [Fact]
    public void Id_OfATaskThatIsBeingStored_WaitsForItsOutcome()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Submit(1, id: "schedule:nightly:2026-01-01T00:01:00Z");
        _core.Pass(Minute);
        _core.FailStore();
        _core.Store();

        _core.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(At(1), Assert.Single(Fired()).Time);
    }

    [Fact]
    public void Put_Again_ReplacesItAndKeepsTheLastTime()
    {
        Put("nightly", "* * * * *");
        _core.Pass(Minute * 2.5);

        var change = Put("nightly", "*/2 * * * *");
        _core.Pass(Minute * 2);

        Assert.True(change.IsReplaced);
        Assert.Equal((At(2), At(4)), (change.Stored!.Record.LastFired, change.Stored.Next));
        Assert.Equal([At(1), At(2), At(4)], Fired().Select(fired => fired.Time));
    }

    [Fact]
    public void Put_WhileATimeIsBeingStored_KeepsThatTime()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute);
        var change = Put("nightly", "*/3 * * * *");

        _core.Store();
        _core.Pass(Minute * 2);

        Assert.Equal(At(1), change.Stored!.Record.LastFired);
        Assert.Equal([At(1), At(3)], Fired().Select(fired => fired.Time));
        Assert.Equal([(string?)"* * * * *", "* * * * *", "*/3 * * * *", "*/3 * * * *"], _core.Stored.Select(op => op.Schedule?.Times.Cron));
    }

    [Fact]
    public void Put_BeyondTheLimit_IsRefused()
    {
        _core = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { MaxSchedules = 1 } });
        Put("first", "* * * * *");

        Put("second", "* * * * *");
        Put("first", "*/2 * * * *");
        Delete("first");
        Put("second", "* * * * *");

        Assert.Equal(
            [SubmitOutcome.Accepted, SubmitOutcome.TooManySchedules, SubmitOutcome.Accepted, SubmitOutcome.Accepted, SubmitOutcome.Accepted], _core.Answers);
    }

    [Fact]
    public void Put_Stored_ThenAnswered()
    {
        _core.HoldStore = true;
        Put("nightly", "* * * * *");
        Assert.Empty(_core.Answers);

        _core.Store();

        Assert.Equal([SubmitOutcome.Accepted], _core.Answers);
        Assert.Equal([StoreOpKind.PutSchedule], _core.Stored.Select(op => op.Kind));
    }

    [Fact]
    public void Put_WriteFails_IsAnsweredUnknownAndWrittenLater()
    {
        _core.HoldStore = true;
        Put("nightly", "* * * * *");
        _core.FailStore();
        Put("other", "* * * * *");
        Assert.Equal([SubmitOutcome.Unknown, SubmitOutcome.StoreUnavailable], _core.Answers);

        _core.Store();

        Assert.Equal(["nightly"], _core.Stored.Select(op => op.Schedule!.Name));
        Assert.Null(_core.Core.FindSchedule("other"));
    }

    [Fact]
    public void Put_StoppingServer_IsRefused_AndPausedServer_IsAccepted()
    {
        _core.Pause();
        Put("nightly", "* * * * *");
        _core.Stop();
        Put("other", "* * * * *");

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Stopping], _core.Answers);
    }

    [Fact]
    public void Delete_Schedule_FiresNoMore()
    {
        Put("nightly", "* * * * *");
        _core.Pass(Minute);

        Delete("nightly");
        Delete("nightly");
        _core.Pass(Minute * 5);

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted, SubmitOutcome.NoSchedule], _core.Answers);
        Assert.Single(Fired());
        Assert.Equal(1, _core.Core.QueueDepth);
        Assert.Empty(_core.Core.ListSchedules());
        Assert.Single(_core.Stored, op => op.Kind == StoreOpKind.DropSchedule);
    }

    [Fact]
    public void Delete_WhileATimeIsBeingStored_LetsItsTaskRun()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute);
        Delete("nightly");

        _core.Store();

        Assert.Single(Fired());
        Assert.Equal((1, 0), (_core.Core.QueueDepth, _core.Core.ListSchedules().Count));
    }

    [Fact]
    public void NextDueTime_ManySchedules_IsThatOfTheFirst()
    {
        Put("late", "30 * * * *");
        Put("early", "10 * * * *");
        Put("later", "50 * * * *");

        Assert.True(_core.Core.NextDueTime <= At(10));
        _core.Pass(Minute * 60);

        Assert.Equal(["early", "late", "later"], Fired().Select(fired => fired.Schedule));
    }

    [Fact]
    public void StoreRolledBack_Schedules_AreWrittenAgain()
    {
        Put("nightly", "* * * * *");
        Put("replaced", "* * * * *");
        _core.Pass(Minute);
        var before = _core.Stored.Count;

        _core.RollBackStore(new StoredState
        {
            Schedules = [Schedule("replaced", "*/9 * * * *"), Schedule("deleted", "* * * * *")],
        });

        var ops = _core.Stored[before..].Where(op => op.Schedule is not null).Select(op => (op.Kind, op.Schedule!.Name, op.Schedule.LastFired)).Order();
        Assert.Equal(
            [(StoreOpKind.PutSchedule, "nightly", At(1)), (StoreOpKind.PutSchedule, "replaced", At(1)), (StoreOpKind.DropSchedule, "deleted", (DateTimeOffset?)null)], ops);
        _core.Pass(Minute);
        Assert.Equal([At(1), At(1), At(2), At(2)], Fired().Select(fired => fired.Time));
    }

    [Fact]
    public void StoreRolledBack_TimeThatWasBeingStored_FiresOnce()
    {
        Put("nightly", "* * * * *");
        _core.HoldStore = true;
        _core.Pass(Minute);

        _core.RollBackStore(new StoredState { Schedules = [Schedule("nightly", "* * * * *")] });
        _core.Pass(TimeSpan.FromSeconds(30));

        Assert.Equal(At(1), Assert.Single(Fired()).Time);
        Assert.Equal(At(1), _core.Stored.Last(op => op.Schedule is not null).Schedule!.LastFired);
        Assert.Single(_core.Stored.Where(op => op.Task is not null).Select(op => op.Task!.WireId).Distinct());
    }

    private static DateTimeOffset At(double minute) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minute);

    internal static TaskRecord Template(TaskType type) => new("", new TaskId(""), type, type == TaskType.Query ? "Maria" : null, null, 0);

    internal static ScheduleRecord Schedule(string name, string cron)
    {
        Assert.True(ScheduleTimes.TryParse(cron, "UTC", out var times, out _));
        return new ScheduleRecord(name, times, Template(TaskType.Query), At(0));
    }

    private static Submission Change(ScheduleRecord schedule) => new([]) { Schedule = new ScheduleChange(schedule.Name, schedule) };

    private ScheduleChange Put(string name, string cron)
    {
        var submission = Change(Schedule(name, cron));
        _core.Submit(submission);
        return submission.Schedule!;
    }

    private void Delete(string name) => _core.Submit(new Submission([]) { Schedule = new ScheduleChange(name, record: null) });

    private IEnumerable<ScheduleFired> Fired(string? name = null) => _core.Events.OfType<ScheduleFired>().Where(fired => name is null || fired.Schedule == name);

    private IEnumerable<string> FiredIds() => Fired().Select(fired => fired.Task.Id);
}
