using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core;

/// <summary>The store has lost the last changes that it had acknowledged, and the server writes its own state again.</summary>
public sealed class StoreRecoveryTests
{
    [Fact]
    public void Tasks_LostByTheStore_AreWrittenAgain()
    {
        var core = new CoreHarness();
        var tasks = core.Submit(2);
        var session = core.Ask("w1");
        var running = core.Last<NewTask>(session);

        core.RollBackStore(new StoredState());

        var restored = core.Stored.Where(op => op.Kind == StoreOpKind.RestoreTask).Select(op => op.Task!.WireId);
        Assert.Equal(tasks.Select(task => task.WireId).ToHashSet(), restored.ToHashSet());
        Assert.Equal(new StoreRolledBack(2, 0), Assert.Single(core.Events.OfType<StoreRolledBack>()));

        // The running attempt continues.
        core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = running.Id, Result = RawJson.Of(1) });
        Assert.Single(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        Assert.Equal((1, 1L), (core.Core.GetStatus().Queue, core.Core.GetStatus().Done));
    }

    [Fact]
    public void Task_ResultLostByStore_IsRunAgain()
    {
        var core = new CoreHarness();
        var task = core.Submit(1)[0];
        var session = core.Ask("w1");
        core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = core.Last<NewTask>(session).Id, Result = RawJson.Of(1) });
        Assert.Equal(1, core.Core.GetStatus().Done);

        core.RollBackStore(new StoredState { Tasks = [task] });

        Assert.Equal((1, 0L), (core.Core.GetStatus().Queue, core.Core.GetStatus().Done));
        Assert.Equal(task.WireId, core.Last<NewTask>(core.Ask("w1")).Id);
    }

    [Fact]
    public void RepeatedStatus_ResultLostByStore_IsNotAcknowledged()
    {
        var core = new CoreHarness();
        var task = core.Submit(1)[0];
        var session = core.Ask("w1");
        var status = new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = core.Last<NewTask>(session).Id, Result = RawJson.Of(1) };
        core.HoldStore = true;
        core.Say(session, status);
        core.Say(session, status);
        core.StoreOnce();
        Assert.Single(core.To(session).OfType<Ack>());

        core.RollBackStore(new StoredState { Tasks = [task] });

        Assert.Single(core.To(session).OfType<Ack>());
    }

    [Fact]
    public void Acceptance_StoreRolledBack_IsRefusedAndLeavesNoTask()
    {
        var core = new CoreHarness { HoldStore = true };
        var task = core.Submit(1)[0];

        core.RollBackStore(new StoredState { Tasks = [task] });

        Assert.Equal([SubmitOutcome.StoreUnavailable], core.Answers);
        Assert.Equal(0, core.Core.GetStatus().Queue);
        Assert.Equal(task.WireId, Assert.Single(core.Stored, op => op.Kind == StoreOpKind.DropTask).Task!.WireId);
        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.RestoreTask);
    }

    [Fact]
    public void Loans_StoreRolledBack_AreWrittenAgain()
    {
        var then = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var known = new LoanRecord(new WorkerId("g1"), LoanRole.Borrower, CoreHarness.Peer, LoanState.Arrived, then, then);
        var ended = known with { Worker = new WorkerId("g2") };
        var core = new CoreHarness(stored: new StoredState { Loans = [known] });

        core.RollBackStore(new StoredState { Loans = [ended] });

        Assert.Equal(known, Assert.Single(core.Stored, op => op.Kind == StoreOpKind.PutLoan).Loan);
        Assert.Equal(ended.Worker, Assert.Single(core.Stored, op => op.Kind == StoreOpKind.DropLoan).Loan!.Worker);
    }

    [Fact]
    public void AdoptedServers_AreReleasedAndAdoptedAgainTenSecondsLater()
    {
        var core = new CoreHarness(settings => settings with { Adoption = settings.Adoption with { After = TimeSpan.FromMinutes(1) }, Peers = [settings.Peers[0]] });
        var theirs = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", Amount: null, Sequence: 1) { StoredBy = CoreHarness.Peer };
        core.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal([CoreHarness.Peer], core.Adoptions);
        core.Adopt(CoreHarness.Peer, theirs);

        core.RollBackStore(new StoredState());

        Assert.Equal([CoreHarness.Peer], core.Releases);
        Assert.Empty(core.Core.GetStatus().Adopted);
        Assert.Equal(0, core.Core.GetStatus().Queue);
        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.RestoreTask);

        core.Pass(TimeSpan.FromSeconds(9));
        Assert.Single(core.Adoptions);
        core.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(2, core.Adoptions.Count);
        core.Adopt(CoreHarness.Peer, theirs);
        Assert.Equal(1, core.Core.QueueDepth);
    }
}
