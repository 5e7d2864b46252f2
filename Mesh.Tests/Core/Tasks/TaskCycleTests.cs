using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

public sealed class TaskCycleTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void GetTask_OfAReplacedConnection_ChangesNothing()
    {
        var old = _mesh.Ask("w1");
        var current = _mesh.Ask("w1");
        _mesh.Ask("w1", old);
        _mesh.Close(old);
        _mesh.Submit(1);
        _mesh.Last<NewTask>(current);
    }

    [Fact]
    public void GetTask_EmptyQueue_IsHeldUntilTheLimit()
    {
        var worker = _mesh.Ask("w1");
        var line = _mesh.Ask("w2", framing: Framing.Line);
        _mesh.Pass(TimeSpan.FromSeconds(1.4));
        Assert.Empty(_mesh.Sent);

        _mesh.Pass(TimeSpan.FromSeconds(0.2));
        _mesh.Last<NoTask>(line);
        Assert.Empty(_mesh.To(worker));

        _mesh.Pass(TimeSpan.FromSeconds(30));
        _mesh.Last<NoTask>(worker);
    }

    [Fact]
    public void Status_Ok_IsAcknowledgedOnlyOnceStored()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Say(worker, Ok("w1", task));
        Assert.DoesNotContain(_mesh.To(worker), message => message is Ack);

        _mesh.Store();
        Assert.Equal(task.WireId, _mesh.Last<Ack>(worker).Id);
        Assert.Contains(_mesh.Stored, op => op.Kind == StoreOpKind.SettleTask && op.Task!.Result == RawJson.Of(7m));
        Assert.Equal(1, _mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void Status_OfASettledTask_IsAcknowledgedAndChangesNothing()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.Ask("w1");
        _mesh.Say(worker, Ok("w1", task));
        var ops = _mesh.Stored.Count;
        _mesh.Say(worker, Ok("w1", task));

        Assert.Equal(2, _mesh.To(worker).OfType<Ack>().Count());
        Assert.Equal(ops, _mesh.Stored.Count);
        Assert.Equal(1, _mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void Status_WithoutTaskId_AnswersTheTaskLastGiven()
    {
        var tasks = _mesh.Submit(2);
        _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        var session = _mesh.Say(new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("py")));

        _mesh.Last<Ack>(session);
        Assert.Equal(1, _mesh.Core.GetStatus().Done);
        Assert.Equal(tasks[1].Id, Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.SettleTask).Task!.Id);
        Assert.Equal(TaskState.Scheduled, _mesh.Core.FindTask(tasks[0].Id)!.State);
    }

    [Fact]
    public void Status_WithoutTaskIdAndResultLostByStore_SettlesTheTaskAgain()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        var status = new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("py"));
        _mesh.Say(session, status, Framing.Line);
        _mesh.RollBackStore(new StoredState { Tasks = [task] });
        Assert.Equal(TaskState.Queued, _mesh.Core.FindTask(task.Id)!.State);

        _mesh.HoldStore = true;
        var again = _mesh.NewSession();
        _mesh.Say(again, status, Framing.Line);
        Assert.Empty(_mesh.To(again));
        _mesh.Store();
        _mesh.Last<Ack>(again);
        Assert.Null(_mesh.Core.FindTask(task.Id));
    }

    [Fact]
    public void Nok_MaxAttempts_IsRetriedThenDeadLettered()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.NewSession();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            _mesh.Ask("w1", worker);
            _mesh.Pass(TimeSpan.FromSeconds(1));
            _mesh.Last<NewTask>(worker);
            _mesh.Say(worker, Nok("w1", task));
            _mesh.Last<Ack>(worker);
        }

        var buried = Assert.Single(_mesh.Events.OfType<TaskDeadLettered>()).Task;
        Assert.Equal((3, "no"), (buried.Attempts, buried.Error));
        Assert.Contains(_mesh.Stored, op => op.Kind == StoreOpKind.MoveTaskToDeadLetters);
        Assert.Equal(1, _mesh.Core.GetStatus().Dead);
    }

    [Fact]
    public void Update_LastAttemptFailedButApplied_IsDone()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 1 } });
        var task = mesh.Submit(1, TaskType.Update)[0];
        var worker = mesh.Ask("w1");
        mesh.Say(worker, Nok("w1", task));

        Assert.Equal(task.WireId, Assert.Single(mesh.Invalidations).WireId);
        Assert.DoesNotContain(mesh.To(worker), message => message is Ack);

        mesh.Invalidated(task.WireId, 12.5m);
        Assert.Contains(mesh.Stored, op => op.Kind == StoreOpKind.SettleTask && op.Task!.Result == RawJson.Of(12.5m));
        mesh.Last<Ack>(worker);
    }

    [Fact]
    public void Update_LastAttemptFailedAndClosed_IsDeadLettered()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 1 } });
        var task = mesh.Submit(1, TaskType.Update)[0];
        mesh.Say(mesh.Ask("w1"), Nok("w1", task));
        mesh.Core.OnInvalidationFailed(task.WireId, mesh.Now);
        mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(2, mesh.Invalidations.Count);

        mesh.Invalidated(task.WireId, null);
        Assert.Contains(mesh.Stored, op => op.Kind == StoreOpKind.MoveTaskToDeadLetters);
    }

    [Fact]
    public void Lease_Expired_RequeuesTheTask()
    {
        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1");
        _mesh.Last<NewTask>(first);
        _mesh.Pass(TimeSpan.FromSeconds(29));
        var second = _mesh.Ask("w2");
        Assert.Empty(_mesh.To(second));

        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(second).Id);
    }

    [Fact]
    public void Nok_RepeatedWhileBeingStored_IsAcknowledgedAfterTheWrite()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Say(session, Nok("w1", task));
        _mesh.Say(session, Nok("w1", task));
        Assert.DoesNotContain(_mesh.To(session), message => message is Ack);

        _mesh.Store();
        Assert.Equal(2, _mesh.To(session).Count(message => message is Ack));
    }

    [Fact]
    public void WebSocketWorker_DisconnectedLongerThanGrace_LosesItsTask()
    {
        _mesh.Submit(1);
        var session = _mesh.Ask("w1");
        var other = _mesh.Ask("w2");
        _mesh.Close(session);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        Assert.Empty(_mesh.To(other));

        _mesh.Pass(TimeSpan.FromSeconds(2));
        _mesh.Last<NewTask>(other);
    }

    [Fact]
    public void WebSocketWorker_BackWithinItsGrace_KeepsItsTask()
    {
        var task = _mesh.Submit(1)[0];
        _mesh.Close(_mesh.Ask("w1"));
        _mesh.Pass(TimeSpan.FromSeconds(4));
        var again = _mesh.NewSession();
        _mesh.Say(again, Ok("w1", task));
        _mesh.Ask("w1", again);
        _mesh.Pass(TimeSpan.FromSeconds(10));

        _mesh.Last<Ack>(again);
        Assert.Equal(1, _mesh.Core.GetStatus().Done);
        Assert.DoesNotContain(_mesh.Events, happened => happened is TaskRequeued { IsCounted: true });
    }

    [Fact]
    public void LineWorker_ItsConnectionClosed_KeepsItsTask()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        _mesh.Last<NewTask>(session);
        _mesh.Close(session);
        _mesh.Pass(TimeSpan.FromSeconds(25));
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(task.Id)!.State);
    }

    [Fact]
    public void Worker_WithoutTasksField_NeverGetsAnUpdate()
    {
        _mesh.Submit(1, TaskType.Update);
        var foreign = _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        _mesh.Pass(TimeSpan.FromSeconds(2));
        _mesh.Last<NoTask>(foreign);

        _mesh.Last<NewTask>(_mesh.Ask("w1"));
    }

    /// <summary>docs/protocol.md, "Optional fields": ATTEMPT.</summary>
    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public void NewTask_OfTheSecondAttempt_TellsItToWorkersThatSendTasks(bool sendsTypes, int attempt)
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1", sendsTypes: sendsTypes);
        Assert.Equal(1, _mesh.Last<NewTask>(session).Attempt);
        _mesh.Say(session, new TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = task.WireId });
        _mesh.Ask("w1", session, sendsTypes: sendsTypes);
        _mesh.Pass(TimeSpan.FromSeconds(20));
        var asked = _mesh.Last<NewTask>(session);

        Assert.Equal(attempt, asked.Attempt);
    }

    [Fact]
    public void ForeignWorker_PollsWithoutStatus_LosesItsTask()
    {
        var task = _mesh.Submit(1)[0];
        _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        var again = _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        _mesh.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(again).Id);
        Assert.Equal(2, _mesh.Core.FindTask(task.Id)!.Attempts);
    }

    [Fact]
    public void Tasks_OfBothTypes_AreGivenInTheOrderOfAcceptance()
    {
        TaskId[] submitted = [.. new[] { TaskType.Update, TaskType.Query, TaskType.Update }.Select(type => _mesh.Submit(1, type)[0].WireId)];
        var session = _mesh.NewSession();
        for (var i = 0; i < 3; i++)
        {
            _mesh.Ask("w1", session);
        }

        Assert.Equal(submitted, _mesh.To(session).OfType<NewTask>().Select(task => task.Id!.Value));
    }

    [Fact]
    public void Status_OfAnAttemptBeforeARestart_SettlesTheTask()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1);
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        var session = mesh.NewSession();
        mesh.Say(session, Ok("w1", record));
        mesh.Ask("w1", session);

        Assert.Single(mesh.Sent, send => send.Message is Ack);
        Assert.DoesNotContain(mesh.To(session), message => message is NewTask);
        Assert.Equal(0, mesh.Core.GetStatus().Queue);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Message_ServerOnly_IsRefusedNamingTheField(bool order)
    {
        var session = _mesh.Say(order ? new Redirect(new MeshEndpoint("h", 1)) : new Ack());
        Assert.StartsWith("TASK", _mesh.Last<Rejection>(session).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Workers_OneTooMany_IsRefusedNamingTheSetting()
    {
        var mesh = new CoreHarness(settings => settings with { Sessions = settings.Sessions with { MaxWorkers = 2 } });
        SessionId[] taken = [mesh.Ask("w1"), mesh.Ask("w2")];

        Assert.Contains("Mesh__Sessions__MaxWorkers", mesh.Last<Rejection>(mesh.Ask("w3")).Error, StringComparison.Ordinal);

        mesh.Submit(1);
        Assert.IsType<NewTask>(mesh.Sent[^1].Message);
        Assert.Contains(mesh.Sent[^1].Session, taken);
    }

    private static TaskStatus Ok(string worker, TaskRecord task) =>
        new(TaskOutcome.Ok, task.Type, new WorkerId(worker)) { Id = task.WireId, Result = RawJson.Of(7m) };

    private static TaskStatus Nok(string worker, TaskRecord task) =>
        new(TaskOutcome.Nok, task.Type, new WorkerId(worker)) { Id = task.WireId, Error = "no" };
}
