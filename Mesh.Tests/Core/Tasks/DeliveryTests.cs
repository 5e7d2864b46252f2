using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>Tasks whose message did not reach the worker.</summary>
public sealed class DeliveryTests
{
    private readonly CoreHarness _mesh = new();

    [Theory]
    [InlineData(Framing.Line)]
    [InlineData(Framing.WebSocket)]
    public void Reset_BeforeConfirmation_RequeuesTaskWithoutCountingAnAttempt(Framing framing)
    {
        var task = _mesh.Submit(1)[0];
        var lost = _mesh.Ask("w1", framing: framing);
        _mesh.Last<NewTask>(lost);
        var other = _mesh.Ask("w2");

        _mesh.Close(lost, SessionEnd.Reset);

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(other).Id);
        Assert.Equal(1, _mesh.Core.FindTask(task.Id)!.Attempts);
        var requeued = Assert.Single(_mesh.Events.OfType<TaskRequeued>());
        Assert.Equal(("it did not reach w1: its connection was reset", false), (requeued.Reason, requeued.IsCounted));
    }

    [Fact]
    public void Close_LineConnection_KeepsTheTaskWithItsWorker()
    {
        var task = _mesh.Submit(1)[0];
        var line = _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        _mesh.Ask("w2");

        _mesh.Close(line);

        Assert.Equal((TaskState.Running, 1), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts));
    }

    [Fact]
    public void Reset_AfterStatusOfLaterTask_KeepsEarlierTaskForGracePeriod()
    {
        var tasks = _mesh.Submit(3);
        var session = _mesh.NewSession();
        for (var i = 0; i < 3; i++)
        {
            _mesh.Ask("w1", session);
        }

        // The worker has received the second task, so it has received the first one. Whether it has received the third is unknown.
        _mesh.Say(session, Ok("w1", tasks[1]));
        _mesh.Close(session, SessionEnd.Reset);

        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(tasks[0].Id)!.State);
        Assert.Equal((TaskState.Queued, 0), (_mesh.Core.FindTask(tasks[2].Id)!.State, _mesh.Core.FindTask(tasks[2].Id)!.Attempts));
    }

    [Fact]
    public void Reset_LongAfterDispatch_KeepsTaskForGracePeriod()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        _mesh.Pass(DeliveryTracker.MaxUnconfirmedAge);

        _mesh.Close(session, SessionEnd.Reset);

        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(task.Id)!.State);
    }

    [Fact]
    public void Connection_Dropped_RequeuesAllItsTasksAtOnce()
    {
        var tasks = _mesh.Submit(3);
        var session = _mesh.NewSession();
        for (var i = 0; i < 3; i++)
        {
            _mesh.Ask("w1", session, Framing.Line);
        }

        _mesh.Say(session, Ok("w1", tasks[2]), Framing.Line);
        _mesh.Close(session, SessionEnd.Dropped);

        Assert.All(tasks[..2], task => Assert.Equal((TaskState.Queued, 0), (_mesh.Core.FindTask(task.Id)!.State, _mesh.Core.FindTask(task.Id)!.Attempts)));
    }

    [Fact]
    public void Worker_NewWebSocket_LosesOnlyTasksSentOnTheOldOne()
    {
        var before = _mesh.Submit(1)[0];
        var old = _mesh.Ask("w1");
        var current = _mesh.Ask("w1");
        _mesh.Submit(1);
        var after = _mesh.Last<NewTask>(current).Id;

        _mesh.Close(old, SessionEnd.Reset);

        Assert.Equal(TaskState.Queued, _mesh.Core.FindTask(before.Id)!.State);
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(after!.Value.Value)!.State);
        Assert.Equal(WorkerState.Busy, _mesh.WorkerOf("w1"));
    }

    [Fact]
    public void Worker_NewLineConnection_GetsTheTaskOfItsLostPoll()
    {
        var lost = _mesh.Ask("w1", framing: Framing.Line);
        var current = _mesh.Ask("w1", framing: Framing.Line);
        var task = _mesh.Submit(1)[0];
        _mesh.Last<NewTask>(lost);

        _mesh.Close(lost, SessionEnd.Reset);

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(current).Id);
        Assert.Equal(1, _mesh.Core.FindTask(task.Id)!.Attempts);
    }

    [Fact]
    public void Worker_ReconnectsWithOtherFraming_GetsNoTaskOnItsLines()
    {
        var line = _mesh.Ask("w1", framing: Framing.Line);
        var socket = _mesh.Ask("w1");
        _mesh.Last<NoTask>(line);

        _mesh.Submit(1);

        _mesh.Last<NewTask>(socket);
    }

    [Fact]
    public void Worker_ResetsAfterReading_IsRecognizedByItsFirstStatus()
    {
        var first = _mesh.Submit(1)[0];
        _mesh.Close(_mesh.Ask("w1", framing: Framing.Line), SessionEnd.Reset);
        Assert.Equal(TaskState.Queued, _mesh.Core.FindTask(first.Id)!.State);
        _mesh.Say(_mesh.NewSession(), Ok("w1", first), Framing.Line);
        Assert.Equal(1, _mesh.Core.GetStatus().Done);

        var second = _mesh.Submit(1)[0];
        _mesh.Close(_mesh.Ask("w1", framing: Framing.Line), SessionEnd.Reset);

        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(second.Id)!.State);
    }

    [Fact]
    public void Task_RepeatedlyLost_CountsAsAttempts()
    {
        // The task itself may crash its workers before they have read all.
        var task = _mesh.Submit(1)[0];
        for (var i = 0; i < RetryRouter.MaxReturns + 3; i++)
        {
            _mesh.Pass(TimeSpan.FromSeconds(31));
            _mesh.Close(_mesh.Ask($"w{i}"), SessionEnd.Reset);
        }

        Assert.Equal(3, Assert.Single(_mesh.Events.OfType<TaskDeadLettered>()).Task.Attempts);
        Assert.Null(_mesh.Core.FindTask(task.Id));
    }

    [Fact]
    public void TwoWorkers_OneWebSocketReset_BothLoseTheirTasks()
    {
        var tasks = _mesh.Submit(2);
        var session = _mesh.NewSession();
        _mesh.Ask("w1", session);
        _mesh.Ask("w2", session);

        _mesh.Close(session, SessionEnd.Reset);

        Assert.Equal((WorkerState.Gone, WorkerState.Gone), (_mesh.WorkerOf("w1"), _mesh.WorkerOf("w2")));
        Assert.All(tasks, task => Assert.Equal(TaskState.Queued, _mesh.Core.FindTask(task.Id)!.State));
        _mesh.Pass(TimeSpan.FromSeconds(6));
        Assert.Empty(_mesh.Core.GetStatus().Workers);
    }

    [Fact]
    public void TwoWorkers_OneWebSocket_HaveSeparateTasksAndSeparateEnds()
    {
        var session = _mesh.NewSession();
        _mesh.Ask("w1", session);
        _mesh.Ask("w2", session);
        var tasks = _mesh.Submit(2);
        Assert.Equal(2, _mesh.To(session).OfType<NewTask>().Count());

        // One worker moves to a new connection; the other one stays.
        var moved = _mesh.NewSession();
        _mesh.Say(moved, Ok("w1", tasks[0]));
        _mesh.Ask("w1", moved);
        _mesh.Close(session);
        _mesh.Pass(TimeSpan.FromSeconds(6));

        Assert.Equal((WorkerState.Busy, null), (_mesh.WorkerOf("w1"), _mesh.WorkerOf("w2")));
        Assert.Equal(tasks[1].WireId, _mesh.Last<NewTask>(moved).Id);
    }

    private static TaskStatus Ok(string worker, TaskRecord task) =>
        new(TaskOutcome.Ok, task.Type, new WorkerId(worker)) { Id = task.WireId, Result = RawJson.Of(7m) };
}
