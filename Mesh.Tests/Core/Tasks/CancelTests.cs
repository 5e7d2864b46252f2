using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/protocol.md, "Cancelling a task".</summary>
public sealed class CancelTests
{
    private static readonly TimeSpan LeaseTime = new TasksOptions().LeaseTime;

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Cancel_QueuedTask_IsSettledAndNeverDispatched()
    {
        var task = _mesh.Submit(1)[0];

        Assert.Equal([CancelOutcome.Cancelled], _mesh.Cancel(task.Id));

        var op = Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask);
        Assert.Equal((task.WireId, TaskState.Cancelled), (op.Task!.WireId, op.Task.State));
        Assert.Empty(_mesh.To(_mesh.Ask("w1")));
        Assert.Equal((0, 0L, 0L), (_mesh.Core.GetStatus().Queue, _mesh.Core.GetStatus().Done, _mesh.Core.GetStatus().Dead));
        Assert.Equal(TaskState.Cancelled, Assert.Single(_mesh.Ends).State);
        Assert.Single(_mesh.Events.OfType<TaskCancelled>());
    }

    [Fact]
    public void Cancel_QueuedTask_IsAnsweredOnlyOnceStored()
    {
        var task = _mesh.Submit(1)[0];
        _mesh.HoldStore = true;
        Assert.Empty(_mesh.Cancel(task.Id));

        _mesh.Store();

        Assert.Equal([CancelOutcome.Cancelled], _mesh.Cancels);
    }

    [Fact]
    public void Cancel_TaskThatIsBeingStored_NeverRuns()
    {
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        var task = _mesh.Submit(1, id: "order-1")[0];
        _mesh.Cancel("order-1");

        _mesh.Store();

        Assert.Equal([SubmitOutcome.Accepted], _mesh.Answers);
        Assert.Equal([CancelOutcome.NotUnsettled], _mesh.Cancels);
        Assert.Equal(task.WireId, Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask).Task!.WireId);
        Assert.Empty(_mesh.To(worker));
    }

    [Fact]
    public void Cancel_StoreFails_IsUnknownAndWrittenAgain()
    {
        var task = _mesh.Submit(1)[0];
        _mesh.HoldStore = true;
        _mesh.Cancel(task.Id);

        _mesh.FailStore();

        Assert.Equal([CancelOutcome.Unknown], _mesh.Cancels);
        Assert.Equal(CancelOutcome.StoreUnavailable, _mesh.Cancel(task.Id)[^1]);
        _mesh.Store();
        Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask);
        Assert.Null(_mesh.Core.FindTask(task.Id));
    }

    [Fact]
    public void Cancel_UnknownTask_IsNotUnsettled() => Assert.Equal([CancelOutcome.NotUnsettled], _mesh.Cancel("nobody"));

    [Fact]
    public void Cancel_OnlyQueuedTask_LeavesNoEntryInTheQueue()
    {
        var task = _mesh.Submit(1)[0];

        _mesh.Cancel(task.Id);

        Assert.Equal(0, _mesh.Core.Footprint.QueueEntries);
    }

    [Fact]
    public void Cancel_DeadLetter_DeletesIt()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 1 } });
        var task = mesh.Submit(1)[0];
        mesh.Say(mesh.Ask("w1"), Nok(task));
        var dead = mesh.Stored[^1].Task!;

        Assert.Equal([CancelOutcome.Cancelled], mesh.Cancel(task.Id, dead));

        Assert.Equal((StoreOpKind.DeleteDeadLetter, task.WireId), (mesh.Stored[^1].Kind, mesh.Stored[^1].Task!.WireId));
        Assert.Equal(0, mesh.Core.GetStatus().Dead);
    }

    [Theory]
    [InlineData("nok")]
    [InlineData("handed back")]
    [InlineData("lease")]
    [InlineData("lost")]
    public void Cancel_RunningTask_HasNoFurtherAttempt(string end)
    {
        var (task, session) = Start();
        Assert.Equal([CancelOutcome.Requested], _mesh.Cancel(task.Id));
        Assert.True(Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.UpdateTask).Task!.IsCancelRequested);
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(task.Id)!.State);
        Assert.True(Running(session, task).Cancel);

        switch (end)
        {
            case "nok":
                _mesh.Say(session, Nok(task));
                Assert.False(_mesh.Last<Ack>(session).Cancel);
                break;
            case "handed back":
                _mesh.Say(session, Nok(task) with { HandedBack = true });
                break;
            case "lease":
                _mesh.Pass(LeaseTime * 1.1);
                break;
            default:
                _mesh.Close(session);
                _mesh.Pass(new TasksOptions().WorkerGrace * 1.1);
                break;
        }

        Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask);
        Assert.Null(_mesh.Core.FindTask(task.Id));
        var other = _mesh.Ask("w2");
        _mesh.Pass(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(_mesh.To(other), message => message is NewTask);
    }

    [Fact]
    public void Cancel_RunningTaskThatSucceeds_IsDone()
    {
        var (task, session) = Start();
        _mesh.Cancel(task.Id);

        _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, task.Type, new WorkerId("w1")) { Id = task.WireId, Result = RawJson.Of(7m) });

        Assert.Equal(TaskState.Done, Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.SettleTask).Task!.State);
        Assert.DoesNotContain(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask);
    }

    [Fact]
    public void Cancel_TwiceWhileRunning_IsStoredOnce()
    {
        var (task, _) = Start();
        Assert.Equal([CancelOutcome.Requested, CancelOutcome.Requested], [.. _mesh.Cancel(task.Id), .. _mesh.Cancel(task.Id).Skip(1)]);
        Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.UpdateTask);
    }

    [Fact]
    public void Cancel_WorkerIgnoresIt_EndsOneLeaseAfterItWasTold()
    {
        var (task, session) = Start();
        _mesh.Cancel(task.Id);
        for (var i = 0; i < 3; i++)
        {
            _mesh.Pass(LeaseTime * 0.4);
            Assert.True(Running(session, task).Cancel);
        }

        _mesh.Pass(LeaseTime * 0.3);
        Assert.Null(_mesh.Core.FindTask(task.Id));
    }

    [Fact]
    public void Cancel_RunningTask_FreesItsWorker()
    {
        var tasks = _mesh.Submit(2);
        var session = _mesh.Ask("w1");
        _mesh.Cancel(tasks[0].Id);
        _mesh.Say(session, Nok(tasks[0]));
        _mesh.Ask("w1", session);

        Assert.Equal(tasks[1].WireId, _mesh.Last<NewTask>(session).Id);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(12.5)]
    public void Cancel_RunningUpdate_AsksTheLedgerBeforeItIsSettled(double? applied)
    {
        var (task, session) = Start(TaskType.Update);
        _mesh.Cancel(task.Id);
        _mesh.Say(session, Nok(task));
        Assert.Equal(task.WireId, Assert.Single(_mesh.Invalidations).WireId);
        Assert.DoesNotContain(_mesh.To(session), message => message is Ack);

        _mesh.Invalidated(task.WireId, (decimal?)applied);

        Assert.Equal(applied is null ? StoreOpKind.CancelTask : StoreOpKind.SettleTask, _mesh.Stored[^1].Kind);
        _mesh.Last<Ack>(session);
    }

    [Fact]
    public void Cancel_QueuedUpdate_IsInvalidatedOnceItsCancelIsStored()
    {
        var task = _mesh.Submit(1, TaskType.Update)[0];
        _mesh.HoldStore = true;
        _mesh.Cancel(task.Id);
        Assert.Empty(_mesh.Invalidations);

        _mesh.Store();
        Assert.True(Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.UpdateTask).Task!.IsCancelRequested);
        Assert.Single(_mesh.Invalidations);
        Assert.Empty(_mesh.Cancels);

        // The caller finds the result in the store.
        _mesh.Invalidated(task.WireId, null);
        Assert.Equal(StoreOpKind.CancelTask, _mesh.Stored[^1].Kind);
        Assert.Equal([CancelOutcome.NotUnsettled], _mesh.Cancels);
    }

    [Fact]
    public void Cancel_LedgerUnavailable_IsUnknown()
    {
        var task = _mesh.Submit(1, TaskType.Update)[0];
        _mesh.Cancel(task.Id);
        _mesh.Core.OnInvalidationFailed(task.WireId, _mesh.Now);
        _mesh.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal([CancelOutcome.Unknown], _mesh.Cancels);
        Assert.Equal(2, _mesh.Invalidations.Count);
    }

    [Fact]
    public void Cancel_UpdateWhoseLastAttemptIsInvalidated_IsCancelledInsteadOfDead()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 1 } });
        var task = mesh.Submit(1, TaskType.Update)[0];
        mesh.Say(mesh.Ask("w1"), Nok(task));
        mesh.Cancel(task.Id);

        mesh.Invalidated(task.WireId, null);

        Assert.Equal(StoreOpKind.CancelTask, mesh.Stored[^1].Kind);
        Assert.Empty(mesh.Events.OfType<TaskDeadLettered>());
    }

    [Fact]
    public void Start_TaskThatWasCancelledWhileRunning_SettlesIt()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { IsCancelRequested = true, Attempts = 1, Worker = new WorkerId("w1") };
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });

        Assert.Equal("t1", Assert.Single(mesh.Stored, op => op.Kind == StoreOpKind.CancelTask).Task!.Id);
        Assert.Empty(mesh.To(mesh.Ask("w2")));
    }

    [Fact]
    public void Adopted_TaskThatWasCancelledWhileRunning_SettlesIt()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { IsCancelRequested = true, StoredBy = CoreHarness.Peer };
        _mesh.Adopt(CoreHarness.Peer, record);

        Assert.Equal(CoreHarness.Peer, Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.CancelTask).Task!.StoredBy);
    }

    [Fact]
    public void StoreRolledBack_CancelRequestLost_IsWrittenAgain()
    {
        var (task, _) = Start();
        _mesh.Cancel(task.Id);

        _mesh.RollBackStore(new StoredState { Tasks = [task] });

        Assert.True(_mesh.Stored[^1].Task!.IsCancelRequested);
        Assert.Equal(StoreOpKind.UpdateTask, _mesh.Stored[^1].Kind);
    }

    [Fact]
    public void AdoptionEnded_CancelWaitsForTheLedger_IsUnknown()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Update, "Maria", 1, 1) { StoredBy = CoreHarness.Peer };
        _mesh.Adopt(CoreHarness.Peer, record);
        _mesh.Cancel("t1");

        _mesh.ReleaseAdopted(CoreHarness.Peer);

        Assert.Equal([CancelOutcome.Unknown], _mesh.Cancels);
    }

    [Fact]
    public void Cancel_TasksOfATypeThatNobodyHandles_DoesNotFillTheMemory()
    {
        var kept = _mesh.Submit(1)[0];
        for (var i = 0; i < 1000; i++)
        {
            _mesh.Cancel(_mesh.Submit(1)[0].Id);
        }

        Assert.InRange(_mesh.Core.Footprint.QueueEntries, 1, 100);
        Assert.Equal(kept.WireId, _mesh.Last<NewTask>(_mesh.Ask("w1")).Id);
    }

    private (TaskRecord Task, SessionId Session) Start(TaskType? type = null)
    {
        var session = _mesh.Ask("w1");
        return (_mesh.Submit(1, type)[0], session);
    }

    private Ack Running(SessionId session, TaskRecord task)
    {
        _mesh.Say(session, new TaskStatus(TaskOutcome.Running, task.Type, new WorkerId("w1")) { Id = task.WireId });
        return _mesh.Last<Ack>(session);
    }

    private static TaskStatus Nok(TaskRecord task) => new(TaskOutcome.Nok, task.Type, new WorkerId("w1")) { Id = task.WireId, Error = "cancelled" };
}
