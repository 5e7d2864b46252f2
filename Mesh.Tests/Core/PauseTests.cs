using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core;

public sealed class PauseTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Pause_RefusesSubmissionsUntilResumed()
    {
        Assert.Equal(new PauseStatus(true, 0, 0), _mesh.Pause());
        _mesh.Submit(1);
        Assert.Equal([SubmitOutcome.Paused], _mesh.Answers);
        Assert.Empty(_mesh.Stored);
        Assert.True(_mesh.Core.GetStatus().Paused);

        Assert.Equal(new PauseStatus(false, 0, 0), _mesh.Resume());
        _mesh.Submit(1);
        Assert.Equal(SubmitOutcome.Accepted, _mesh.Answers[^1]);
        Assert.False(_mesh.Core.GetStatus().Paused);
    }

    [Fact]
    public void Pause_RefusesTheRetryOfADeadLetter()
    {
        var dead = new TaskRecord("t1", new TaskId("t1-again"), TaskType.Query, "Maria", null, 1);
        _mesh.Pause();

        _mesh.Submit(new Submission([dead], isDeadLetterRetry: true));

        Assert.Equal([SubmitOutcome.Paused], _mesh.Answers);
    }

    [Fact]
    public void Pause_CalledTwice_ReportsOneEvent()
    {
        _mesh.Resume();
        _mesh.Pause();
        _mesh.Pause();
        _mesh.Resume();
        _mesh.Resume();

        Assert.Equal([new ServerPauseChanged(new PauseStatus(true, 0, 0)), new ServerPauseChanged(new PauseStatus(false, 0, 0))], _mesh.Events);
    }

    [Fact]
    public void Pause_AcceptedTasks_RunAndSettle()
    {
        var tasks = _mesh.Submit(2);
        var worker = _mesh.Ask("w1");
        Assert.Equal(new PauseStatus(true, 1, 1), _mesh.Pause());

        foreach (var task in tasks)
        {
            _mesh.Say(worker, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.WireId });
            _mesh.Ask("w1", worker);
        }

        Assert.Equal((2L, 0), (_mesh.Core.GetStatus().Done, _mesh.Core.GetStatus().Queue));
        Assert.True(_mesh.Core.IsPaused);
    }

    [Fact]
    public void Pause_DuringAcceptance_DoesNotRefuseIt()
    {
        _mesh.HoldStore = true;
        _mesh.Submit(1);
        _mesh.Pause();

        _mesh.Store();

        Assert.Equal([SubmitOutcome.Accepted], _mesh.Answers);
        Assert.Equal(1, _mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void Pause_BorrowingGoesOn()
    {
        _mesh.Alive();
        _mesh.Submit(20);
        _mesh.Pause();

        _mesh.Pass(TimeSpan.FromSeconds(1));

        Assert.Single(_mesh.ToPeer<WorkerRequest>(CoreHarness.Peer));
    }

    [Fact]
    public void Pause_LendingGoesOn()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Pause();

        var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer });

        _mesh.Last<Available>(session);
    }

    [Fact]
    public void Pause_ServerStopping_ReportsStopping()
    {
        _mesh.Pause();
        _mesh.Stop();

        _mesh.Submit(1);

        Assert.Equal([SubmitOutcome.Stopping], _mesh.Answers);
    }
}
