using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Tests.Core.Schedules;

/// <summary>The schedules of a dead server fire at the server that has adopted it.</summary>
public sealed class AdoptedScheduleTests
{
    private readonly CoreHarness _core = new();

    [Fact]
    public void Adoption_SchedulesOfTheServer_FireIntoItsPartOfTheStore()
    {
        Adopt();

        _core.Pass(TimeSpan.FromMinutes(1));

        var op = Assert.Single(_core.Stored, op => op.Task is not null);
        Assert.Equal((CoreHarness.Peer, CoreHarness.Peer, "schedule:nightly:2026-01-01T00:01:00Z"), (op.StoredBy, op.Task!.StoredBy, op.Task.Id));
        Assert.Equal(op.Task.WireId, _core.Last<NewTask>(_core.Ask("w1")).Id);
        Assert.Equal(CoreHarness.Peer, Assert.Single(_core.Core.ListSchedules()).Record.StoredBy);
    }

    [Fact]
    public void Adoption_TimesMissedBeforeIt_FireOnce()
    {
        _core.Pass(TimeSpan.FromMinutes(10));

        Adopt();
        _core.Pass(TimeSpan.Zero);

        Assert.Equal(9, Assert.Single(_core.Events.OfType<ScheduleFired>()).Skipped);
    }

    [Fact]
    public void Adoption_OwnScheduleOfTheSameName_IsAnotherOne()
    {
        Adopt();
        _core.Submit(new Submission([]) { Schedule = new ScheduleChange("nightly", ScheduleSamples.Schedule("nightly", "* * * * *")) });

        _core.Pass(TimeSpan.FromMinutes(1));

        Assert.Equal([null, CoreHarness.Peer], _core.Events.OfType<ScheduleFired>().Select(fired => fired.Task.StoredBy).OrderBy(server => server?.Value));
        Assert.Null(_core.Core.FindSchedule("nightly")!.Record.StoredBy);
        Assert.Equal(2, _core.Core.QueueDepth);
    }

    [Fact]
    public void AdoptionEnded_SchedulesOfTheServer_AreRemovedWithTheTimeThatIsBeingStored()
    {
        Adopt();
        _core.HoldStore = true;
        _core.Pass(TimeSpan.FromMinutes(1));
        _core.ReleaseAdopted(CoreHarness.Peer);

        // The outcome of the write is unknown. Written again later, it could overwrite a change of the server that is back.
        _core.FailStore();
        _core.Store();
        _core.Pass(TimeSpan.FromMinutes(5));

        Assert.DoesNotContain(_core.Stored, op => op.Schedule is not null);
        Assert.Empty(_core.Events.OfType<ScheduleFired>());
        Assert.Equal((0, 0), (_core.Core.QueueDepth, _core.Core.ListSchedules().Count));
    }

    [Fact]
    public void Delete_AtTheAdopter_DeletesItInTheServersPartOfTheStore()
    {
        Adopt();

        _core.Submit(new Submission([]) { Schedule = new ScheduleChange("nightly", record: null) });

        var op = Assert.Single(_core.Stored);
        Assert.Equal((StoreOpKind.DropSchedule, CoreHarness.Peer), (op.Kind, op.StoredBy));
        Assert.Equal([SubmitOutcome.Accepted], _core.Answers);
    }

    private void Adopt()
    {
        _core.Core.OnAdopted(
            CoreHarness.Peer,
            new StoredState { Schedules = [ScheduleSamples.Schedule("nightly", "* * * * *") with { StoredBy = CoreHarness.Peer }] },
            _core.Now);
    }
}
