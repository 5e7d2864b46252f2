using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using static Mesh.Tests.Core.Schedules.ScheduleSamples;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Schedules;

/// <summary>The times of a schedule at which its server cannot fire it.</summary>
public sealed class ScheduleMissedTimesTests : ScheduleTestBase
{
    [Fact]
    public void Restart_MissedTimes_FireOnceForTheLatest()
    {
        var stored = Schedule("nightly", "*/5 * * * *") with { Since = At(-60), LastFired = At(-60) };

        Harness = new CoreHarness(stored: new StoredState { Schedules = [stored] });

        var fired = Assert.Single(Fired());
        Assert.Equal((At(0), 11), (fired.Time, fired.Skipped));
        Harness.Pass(Minute * 5);
        Assert.Equal(At(5), Fired().Last().Time);
    }

    [Fact]
    public void Restart_TimeThatHasFired_DoesNotFireAgain()
    {
        Harness = new CoreHarness(stored: new StoredState { Schedules = [Schedule("nightly", "*/5 * * * *") with { Since = At(-60), LastFired = At(0) }] });

        Harness.Pass(Minute * 4);

        Assert.Empty(Fired());
    }

    [Fact]
    public void Restart_ClockSetBack_FiresLaterTimesOnly()
    {
        var stored = Schedule("nightly", "*/5 * * * *") with { Since = At(10), LastFired = At(20) };
        var neverFired = Schedule("new", "*/5 * * * *") with { Since = At(10) };
        Harness = new CoreHarness(stored: new StoredState { Schedules = [stored, neverFired] });

        Harness.Pass(Minute * 26);

        Assert.Equal([At(25)], Fired("nightly").Select(fired => fired.Time));
        Assert.Equal([At(5), At(10), At(15), At(20), At(25)], Fired("new").Select(fired => fired.Time));
    }

    [Fact]
    public void Pause_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        Harness.Pause();
        Harness.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        Harness.Resume();
        Harness.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void Stop_StoppingServer_DoesNotFire()
    {
        Put("nightly", "* * * * *");
        Harness.Stop();

        Harness.Pass(Minute * 3);

        Assert.Empty(Fired());
        Assert.Equal(At(1), Harness.Core.FindSchedule("nightly")!.Next);
    }

    [Fact]
    public void Full_TimesInIt_FireOnceWhenThereIsRoom()
    {
        Harness = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { Capacity = 2 } });
        Put("nightly", "* * * * *");
        Harness.Submit(2);
        Harness.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        var session = Harness.Ask("w1");
        Harness.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = Harness.Last<NewTask>(session).Id });
        Harness.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void StoreUnavailable_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Submit(1);
        Harness.FailStore();
        Harness.Pass(Minute * 3.5);
        Assert.Empty(Fired());

        Harness.Store();
        Harness.Pass(TimeSpan.Zero);

        var fired = Assert.Single(Fired());
        Assert.Equal((At(3), 2), (fired.Time, fired.Skipped));
    }

    [Fact]
    public void StoreNotDurable_TimesInIt_FireOnceAfterwards()
    {
        Put("nightly", "* * * * *");
        Harness.Core.OnStoreDurability(isDurable: false);
        Harness.Pass(Minute * 2.5);
        Assert.Empty(Fired());

        Harness.Core.OnStoreDurability(isDurable: true);
        Harness.Pass(TimeSpan.Zero);

        Assert.Equal(At(2), Assert.Single(Fired()).Time);
    }
}
