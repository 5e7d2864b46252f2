using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Adoption;

/// <summary>The adoption of the tasks of a peer that stays dead.</summary>
public sealed class AdoptionCoordinatorTests
{
    private static readonly TimeSpan After = TimeSpan.FromMinutes(1);

    [Fact]
    public void Peer_DeadLongEnough_IsAdoptedOnceAndRetriedWhenRefused()
    {
        var core = new CoreHarness(settings => settings with { Adoption = new AdoptionOptions { After = After }, Peers = [settings.Peers[0]] });

        core.Pass(After - TimeSpan.FromSeconds(1));
        Assert.Empty(core.Adoptions);
        core.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal([CoreHarness.Peer], core.Adoptions);
        core.Pass(TimeSpan.FromMinutes(5));
        Assert.Single(core.Adoptions);

        core.RefuseAdoption(CoreHarness.Peer);
        core.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(2, core.Adoptions.Count);
    }

    [Fact]
    public void Peer_Alive_IsNotAdopted()
    {
        var core = new CoreHarness(settings => settings with { Adoption = new AdoptionOptions { After = TimeSpan.FromMilliseconds(1) }, Peers = [settings.Peers[0]] });
        core.Alive();

        core.Pass(TimeSpan.FromSeconds(10));

        Assert.Empty(core.Adoptions);
    }

    [Fact]
    public void Adopted_Tasks_AreServedAndStoredWithTheirOwner()
    {
        var core = new CoreHarness();
        var session = core.Ask("w1");

        core.Adopt(CoreHarness.Peer, Theirs("t1", 1), Theirs("t2", 2));
        var given = Assert.IsType<NewTask>(core.Sent[^1].Message);
        core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = given.Id, Result = RawJson.Of(1) });

        var settled = Assert.Single(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        Assert.Equal(("t1", CoreHarness.Peer), (settled.Task!.Id, settled.Task.StoredBy));
        var status = core.Core.GetStatus();
        Assert.Equal((0, 1, 1L), ((int)status.Done, status.Adopted[0].Tasks, status.Adopted[0].Done));
        Assert.Equal("t2", core.Core.FindTask("t2")!.Id);
    }

    [Fact]
    public void Adopted_TaskWithSubmittedKey_IsTheSameTask()
    {
        var core = new CoreHarness();
        var theirs = Theirs("w1", 1) with { Id = "order-1", Keyed = true };
        core.Adopt(CoreHarness.Peer, theirs);

        core.Submit(new Submission([theirs with { WireId = new TaskId("w2"), StoredBy = null }]));
        core.Submit(new Submission([theirs with { WireId = new TaskId("w3"), StoredBy = null, User = "joao" }]));

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Conflict], core.Answers);
        Assert.Equal(1, core.Core.QueueDepth);
        Assert.Equal(CoreHarness.Peer, core.Core.FindTask("order-1")!.StoredBy);
    }

    [Fact]
    public void Adopted_TaskSettledDuringSubmissionOfItsKey_IsTheSameTask()
    {
        var core = new CoreHarness();
        var theirs = Theirs("w1", 1) with { Id = "order-1", Keyed = true };
        core.Adopt(CoreHarness.Peer);

        core.Submit(new Submission([theirs with { WireId = new TaskId("w2"), StoredBy = null }]) { Settled = new Dictionary<string, TaskRecord> { ["order-1"] = theirs } });

        Assert.Equal([SubmitOutcome.Accepted], core.Answers);
        Assert.Equal(0, core.Core.QueueDepth);
    }

    [Fact]
    public void AdoptedTasks_LeaseReleased_AreRemovedInEveryState()
    {
        var core = new CoreHarness();
        var session = core.Ask("w1");
        core.Adopt(CoreHarness.Peer, Theirs("t1", 1), Theirs("t2", 2));
        core.Submit(new Submission([new TaskRecord("own", new TaskId("own"), TaskType.Query, "maria", Amount: null, 0)]));

        core.ReleaseAdopted(CoreHarness.Peer);

        Assert.Equal([CoreHarness.Peer], core.Releases);
        Assert.Equal((1, 0), (core.Core.QueueDepth, core.Core.GetStatus().Running));
        Assert.Empty(core.Core.GetStatus().Adopted);

        // The worker's status of an adopted task is acknowledged and changes nothing. The next task is one of this server.
        core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = new TaskId("t1") });
        Assert.IsType<Ack>(core.Sent[^1].Message);
        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        core.Ask("w1", session);
        Assert.Equal(new TaskId("own"), Assert.IsType<NewTask>(core.Sent[^1].Message).Id);
    }

    private static TaskRecord Theirs(string id, long sequence) =>
        new(id, new TaskId(id), TaskType.Query, "maria", Amount: null, sequence) { StoredBy = CoreHarness.Peer };
}
