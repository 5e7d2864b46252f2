using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/protocol.md, "Long work".</summary>
public sealed class RunningStatusTests
{
    private static readonly TimeSpan LeaseTime = new TasksOptions().LeaseTime;

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Running_RepeatedWithinTheLease_KeepsTheAttempt()
    {
        var (task, session) = Start();
        for (var i = 0; i < 10; i++)
        {
            _mesh.Pass(LeaseTime * 0.9);
            Assert.False(Say(session, task).Cancel);
        }

        Assert.Equal((TaskState.Running, 1), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));
    }

    [Fact]
    public void Running_AfterTheLeaseExpired_IsCancelled()
    {
        var (task, session) = Start();
        _mesh.Pass(LeaseTime * 1.1);
        Assert.True(Say(session, task).Cancel);
    }

    [Fact]
    public void Running_OfATaskThatIsUnknown_IsCancelled()
    {
        var (task, session) = Start();
        Assert.True(Say(session, task with { WireId = new TaskId("other") }).Cancel);
    }

    [Fact]
    public void Running_Progress_IsShownWhileTheTaskRuns()
    {
        var (task, session) = Start();
        Say(session, task);
        Assert.Equal(0.5, _mesh.Core.FindTask(task.Id)!.Progress);

        _mesh.Say(session, new TaskStatus(TaskOutcome.Nok, task.Type, new WorkerId("w1")) { Id = task.WireId, HandedBack = true });
        Assert.Null(_mesh.Core.FindTask(task.Id)!.Progress);
    }

    [Fact]
    public void Running_AfterReconnecting_KeepsTheWorkerWithoutAGetTask()
    {
        var (task, session) = Start();
        _mesh.Close(session);
        var again = _mesh.NewSession();
        Assert.False(Say(again, task).Cancel);

        _mesh.Pass(new TasksOptions().WorkerGrace * 1.5);
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(task.Id)!.State);
        _mesh.Close(again);
        _mesh.Pass(new TasksOptions().WorkerGrace * 1.1);
        Assert.Equal(TaskState.Queued, _mesh.Core.FindTask(task.Id)!.State);
    }

    [Fact]
    public void Running_OfAReplacedConnection_ChangesNothing()
    {
        var (task, old) = Start();
        var current = _mesh.Ask("w1");
        _mesh.Say(old, Status(task));
        Assert.DoesNotContain(_mesh.To(old), message => message is Ack);
        _mesh.Close(old);
        Assert.False(Say(current, task).Cancel);
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public void Running_AfterARestart_ResumesTheQueuedTask(Framing framing)
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { Attempts = 1, Worker = new WorkerId("w2") };
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        var session = mesh.NewSession();

        mesh.Say(session, Status(record), framing);

        Assert.False(mesh.Last<Ack>(session).Cancel);
        Assert.Equal((TaskState.Running, 2, "w1"), (mesh.Core.FindTask("t1")!.State, mesh.Core.FindTask("t1")!.Attempts, mesh.Core.FindTask("t1")!.Worker!.Value.Value));
        Assert.Single(mesh.Events.OfType<TaskResumed>());
        var other = mesh.Ask("w3");
        Assert.Empty(mesh.To(other));
        mesh.Say(session, Status(record) with { Outcome = TaskOutcome.Ok }, framing);
        Assert.Equal(1, mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void Running_AfterARestartAndAFailedAttemptOfThisWorker_IsCancelled()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { Attempts = 1, Worker = new WorkerId("w1") };
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        var session = mesh.NewSession();

        mesh.Say(session, Status(record));

        Assert.True(mesh.Last<Ack>(session).Cancel);
        Assert.Equal(TaskState.Queued, mesh.Core.FindTask("t1")!.State);
    }

    [Fact]
    public void Running_AfterAnotherWorkerGotTheTask_IsCancelled()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1);
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        mesh.Last<NewTask>(mesh.Ask("w2"));
        var session = mesh.NewSession();

        mesh.Say(session, Status(record));

        Assert.True(mesh.Last<Ack>(session).Cancel);
    }

    [Fact]
    public void Running_OfAWorkerThatWasGone_ResumesWithAnotherCountedAttempt()
    {
        var (task, session) = Start();
        _mesh.Close(session);
        _mesh.Pass(new TasksOptions().WorkerGrace * 1.1);
        Assert.Equal((TaskState.Queued, 1), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));

        Assert.False(Say(_mesh.NewSession(), task).Cancel);

        Assert.Equal((TaskState.Running, 2), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));
    }

    [Fact]
    public void Running_AfterAResetThatLostTheTask_ResumesTheSameAttempt()
    {
        var (task, session) = Start();
        _mesh.Close(session, SessionEnd.Reset);
        Assert.Equal((TaskState.Queued, 0), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));

        Assert.False(Say(_mesh.NewSession(), task).Cancel);

        Assert.Equal((TaskState.Running, 1), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));
    }

    [Fact]
    public void Running_AfterARestartThatSentTheTaskAgain_KeepsItWhenThatConnectionIsReset()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1);
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        var sent = mesh.Ask("w1", framing: Framing.Line);
        mesh.Last<NewTask>(sent);

        // The worker still runs the attempt of the previous process. It does not need the message.
        mesh.Say(mesh.NewSession(), Status(record), Framing.Line);
        mesh.Close(sent, SessionEnd.Reset);

        Assert.Equal((TaskState.Running, 1, "w1"), (mesh.Core.FindTask("t1")!.State, mesh.Core.FindTask("t1")!.Attempts, mesh.Core.FindTask("t1")!.Worker!.Value.Value));
        Assert.Empty(mesh.Events.OfType<TaskRequeued>());
    }

    [Fact]
    public void Running_AfterTheWorkerHandedTheTaskBack_IsCancelled()
    {
        var (task, session) = Start();
        _mesh.Say(session, Status(task) with { Outcome = TaskOutcome.Nok, HandedBack = true });

        Assert.True(Say(session, task).Cancel);
    }

    [Fact]
    public void Running_ServerStopping_StartsNoAttemptAndCancelsNone()
    {
        var record = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1);
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [record] });
        mesh.Stop();
        var session = mesh.NewSession();

        mesh.Say(session, Status(record));

        Assert.False(mesh.Last<Ack>(session).Cancel);
        Assert.Equal(TaskState.Queued, mesh.Core.FindTask("t1")!.State);
    }

    [Fact]
    public void Running_ServerStoppingAfterTheAttemptFailed_IsCancelled()
    {
        var (task, session) = Start();
        _mesh.Stop();
        _mesh.Pass(LeaseTime * 1.1);

        Assert.True(Say(session, task).Cancel);
    }

    [Fact]
    public void Timeout_WhileRunningIsReported_FailsTheAttemptAndCancelsTheWorker()
    {
        var session = _mesh.Ask("w1");
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { Limits = new TaskLimits(null, LeaseTime * 2.5, null) };
        _mesh.Submit(new Submission([task]));
        for (var i = 0; i < 4; i++)
        {
            _mesh.Pass(LeaseTime * 0.6);
            Assert.False(Say(session, task).Cancel);
        }

        _mesh.Pass(LeaseTime * 0.2);

        var failed = _mesh.Core.FindTask("t1")!;
        Assert.Equal((TaskState.Queued, 1), (failed.State, failed.Attempts));
        Assert.Equal("the attempt ran longer than the timeout of 75 s", failed.Error);
        Assert.True(Say(session, task).Cancel);
    }

    [Fact]
    public void Timeout_AttemptEndsBefore_IsForgotten()
    {
        var session = _mesh.Ask("w1");
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 1) { Limits = new TaskLimits(null, TimeSpan.FromSeconds(5), null) };
        _mesh.Submit(new Submission([task]));
        _mesh.Say(session, Status(task) with { Outcome = TaskOutcome.Nok, HandedBack = true });
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Ask("w1", session);
        _mesh.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal(TaskState.Running, _mesh.Core.FindTask("t1")!.State);
        Assert.DoesNotContain(_mesh.Events.OfType<TaskRequeued>(), requeued => requeued.IsCounted);
    }

    private (TaskRecord Task, SessionId Session) Start()
    {
        var session = _mesh.Ask("w1");
        return (_mesh.Submit(1)[0], session);
    }

    private Ack Say(SessionId session, TaskRecord task)
    {
        _mesh.Say(session, Status(task));
        return _mesh.Last<Ack>(session);
    }

    private static TaskStatus Status(TaskRecord task) => new(TaskOutcome.Running, task.Type, new WorkerId("w1")) { Id = task.WireId, Progress = 0.5 };
}
