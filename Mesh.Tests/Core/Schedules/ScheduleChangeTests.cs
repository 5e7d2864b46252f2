using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using static Mesh.Tests.Core.Schedules.ScheduleSamples;

namespace Mesh.Tests.Core.Schedules;

/// <summary>Putting and deleting schedules.</summary>
public sealed class ScheduleChangeTests : ScheduleTestBase
{
    [Fact]
    public void Put_Again_ReplacesItAndKeepsTheLastTime()
    {
        Put("nightly", "* * * * *");
        Harness.Pass(Minute * 2.5);

        var change = Put("nightly", "*/2 * * * *");
        Harness.Pass(Minute * 2);

        Assert.True(change.IsReplaced);
        Assert.Equal((At(2), At(4)), (change.Stored!.Record.LastFired, change.Stored.Next));
        Assert.Equal([At(1), At(2), At(4)], Fired().Select(fired => fired.Time));
    }

    [Fact]
    public void Put_WhileATimeIsBeingStored_KeepsThatTime()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute);
        var change = Put("nightly", "*/3 * * * *");

        Harness.Store();
        Harness.Pass(Minute * 2);

        Assert.Equal(At(1), change.Stored!.Record.LastFired);
        Assert.Equal([At(1), At(3)], Fired().Select(fired => fired.Time));
        Assert.Equal([(string?)"* * * * *", "* * * * *", "*/3 * * * *", "*/3 * * * *"], Harness.Stored.Select(op => op.Schedule?.Times.Cron));
    }

    [Fact]
    public void Put_BeyondTheLimit_IsRefused()
    {
        Harness = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { MaxSchedules = 1 } });
        Put("first", "* * * * *");

        Put("second", "* * * * *");
        Put("first", "*/2 * * * *");
        Delete("first");
        Put("second", "* * * * *");

        Assert.Equal(
            [SubmitOutcome.Accepted, SubmitOutcome.TooManySchedules, SubmitOutcome.Accepted, SubmitOutcome.Accepted, SubmitOutcome.Accepted], Harness.Answers);
    }

    [Fact]
    public void Put_Stored_ThenAnswered()
    {
        Harness.HoldStore = true;
        Put("nightly", "* * * * *");
        Assert.Empty(Harness.Answers);

        Harness.Store();

        Assert.Equal([SubmitOutcome.Accepted], Harness.Answers);
        Assert.Equal([StoreOpKind.PutSchedule], Harness.Stored.Select(op => op.Kind));
    }

    [Fact]
    public void Put_WriteFails_IsAnsweredUnknownAndWrittenLater()
    {
        Harness.HoldStore = true;
        Put("nightly", "* * * * *");
        Harness.FailStore();
        Put("other", "* * * * *");
        Assert.Equal([SubmitOutcome.Unknown, SubmitOutcome.StoreUnavailable], Harness.Answers);

        Harness.Store();

        Assert.Equal(["nightly"], Harness.Stored.Select(op => op.Schedule!.Name));
        Assert.Null(Harness.Core.FindSchedule("other"));
    }

    [Fact]
    public void Put_StoppingServer_IsRefused_AndPausedServer_IsAccepted()
    {
        Harness.Pause();
        Put("nightly", "* * * * *");
        Harness.Stop();
        Put("other", "* * * * *");

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Stopping], Harness.Answers);
    }

    [Fact]
    public void Delete_Schedule_FiresNoMore()
    {
        Put("nightly", "* * * * *");
        Harness.Pass(Minute);

        Delete("nightly");
        Delete("nightly");
        Harness.Pass(Minute * 5);

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted, SubmitOutcome.NoSchedule], Harness.Answers);
        Assert.Single(Fired());
        Assert.Equal(1, Harness.Core.QueueDepth);
        Assert.Empty(Harness.Core.ListSchedules());
        Assert.Single(Harness.Stored, op => op.Kind == StoreOpKind.DropSchedule);
    }

    [Fact]
    public void Delete_WhileATimeIsBeingStored_LetsItsTaskRun()
    {
        Put("nightly", "* * * * *");
        Harness.HoldStore = true;
        Harness.Pass(Minute);
        Delete("nightly");

        Harness.Store();

        Assert.Single(Fired());
        Assert.Equal((1, 0), (Harness.Core.QueueDepth, Harness.Core.ListSchedules().Count));
    }
}
