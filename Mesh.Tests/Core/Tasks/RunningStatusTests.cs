using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/protocol.md, "Tasks of any type": RUNNING renews the task lease.</summary>
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

    private (TaskRecord Task, SessionId Session) Start()
    {
        var session = _mesh.Ask("w1");
        return (_mesh.Submit(1)[0], session);
    }

    private Ack Say(SessionId session, TaskRecord task)
    {
        _mesh.Say(session, new TaskStatus(TaskOutcome.Running, task.Type, new WorkerId("w1")) { Id = task.WireId, Progress = 0.5 });
        return _mesh.Last<Ack>(session);
    }
}
