using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core;

/// <summary>While the store is unavailable, clients and workers repeat requests that are not answered. The number of pending changes does not grow with the repetitions.</summary>
public sealed class StoreUnavailableTests
{
    private const int Repeats = 100;

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Status_RepeatedWhileStoreUnavailable_IsAcknowledgedOnce()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Say(worker, Status("w1", task));
        _mesh.FailStore();

        Repeat(() => _mesh.Say(worker, Status("w1", task)));

        _mesh.Store();
        Assert.Equal(task.WireId, Assert.Single(_mesh.To(worker).OfType<Ack>()).Id);
        Assert.Equal(1, _mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void StatusRepeatedOnNewConnections_StoreUnavailable_KeepsNoRepliesToClosedOnes()
    {
        var task = _mesh.Submit(1)[0];
        _mesh.Ask("w1", framing: Framing.Line);
        _mesh.HoldStore = true;
        _mesh.Say(Status("w1", task));
        _mesh.FailStore();

        Repeat(() => _mesh.Close(_mesh.Say(Status("w1", task))));
        var last = _mesh.Say(Status("w1", task));

        _mesh.Store();
        Assert.Equal(task.WireId, _mesh.Last<Ack>(last).Id);
    }

    [Fact]
    public void FailureRepeated_StoreUnavailable_IsAcknowledgedOnceForEachAttempt()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Say(worker, Status("w1", task, TaskOutcome.Nok));
        _mesh.FailStore();

        Repeat(() => _mesh.Say(worker, Status("w1", task, TaskOutcome.Nok)));
        _mesh.Pass(TimeSpan.FromSeconds(1));
        _mesh.Ask("w1", worker);
        _mesh.Say(worker, Status("w1", task, TaskOutcome.Nok));

        _mesh.Store();
        Assert.Equal(2, _mesh.To(worker).OfType<Ack>().Count());
    }

    [Fact]
    public void StatusRepeated_TaskIsBeingClosed_IsAcknowledgedOnce()
    {
        var task = _mesh.Submit(1, TaskType.Update)[0];
        var worker = _mesh.NewSession();
        for (var attempt = 0; attempt < 3; attempt++)
        {
            _mesh.Pass(TimeSpan.FromSeconds(1));
            _mesh.Ask("w1", worker);
            _mesh.Say(worker, Status("w1", task, TaskOutcome.Nok));
        }

        var acknowledged = _mesh.To(worker).OfType<Ack>().Count();
        for (var i = 0; i < Repeats; i++)
        {
            _mesh.Say(worker, Status("w1", task, TaskOutcome.Nok));
        }

        _mesh.Invalidated(task.WireId, applied: null);
        Assert.Equal(acknowledged + 1, _mesh.To(worker).OfType<Ack>().Count());
    }

    [Fact]
    public void StatusesWithoutId_StoreUnavailable_AreEachAcknowledged()
    {
        var tasks = _mesh.Submit(2);
        var worker = _mesh.NewSession();
        _mesh.Ask("w1", worker);
        _mesh.HoldStore = true;
        _mesh.Say(worker, Status("w1", tasks[0]) with { Id = null });
        _mesh.FailStore();
        _mesh.Ask("w1", worker);
        _mesh.Say(worker, Status("w1", tasks[1]) with { Id = null });

        _mesh.Store();
        Assert.Equal(2, _mesh.To(worker).OfType<Ack>().Count());
    }

    [Fact]
    public void WorkerRequest_StoreUnavailable_LendsNothing()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.HoldStore = true;
        _mesh.Submit(1);
        _mesh.FailStore();

        var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer, WorkersNeeded = 1 });

        _mesh.Last<Unavailable>(session);
        Assert.Empty(_mesh.Core.GetStatus().Loans);
    }

    [Fact]
    public void StoreCheck_FailsWithoutPendingWrites_SubmissionsAreStillTried()
    {
        _mesh.Core.OnStoreFailed(new StoreBatch(), _mesh.Now);

        _mesh.Submit(1);

        Assert.Equal([SubmitOutcome.Accepted], _mesh.Answers);
    }

    [Fact]
    public void Loans_RepeatedWhileStoreUnavailable_LeaveOneChangeForEachWorker()
    {
        var journal = new Journal();
        var loan = new LoanRecord(new WorkerId("w1"), LoanRole.Owner, CoreHarness.Peer, LoanState.Offered, _mesh.Now, _mesh.Now);
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 1);
        for (var i = 0; i < Repeats; i++)
        {
            journal.Add(StoreOp.Of(StoreOpKind.PutLoan, loan));
            journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task with { Attempts = i }));
            journal.Add(StoreOp.Of(StoreOpKind.DropLoan, loan));
            journal.RequeueFailed(journal.TryTake()!);
        }

        journal.Add(StoreOp.Of(StoreOpKind.SettleTask, task));
        journal.RequeueFailed(journal.TryTake()!);

        Assert.Equal([StoreOpKind.DropLoan, StoreOpKind.SettleTask], journal.TryTake()!.Ops.Select(op => op.Kind));
    }

    private static TaskStatus Status(string worker, TaskRecord task, TaskOutcome outcome = TaskOutcome.Ok) =>
        new(outcome, task.Type, new WorkerId(worker)) { Id = task.WireId };

    /// <summary>Repeats an action many times, with a failed write after each, and checks that no more changes are pending than after the first time.</summary>
    private void Repeat(Action action)
    {
        action();
        _mesh.FailStore();
        _mesh.HoldStore = true;
        var waiting = _mesh.Held;
        for (var i = 0; i < Repeats; i++)
        {
            action();
            _mesh.FailStore();
        }

        Assert.InRange(_mesh.Held, 0, waiting);
    }
}
