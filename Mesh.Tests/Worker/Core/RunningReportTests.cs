using Mesh.Protocol;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;
using static MeshAspire.Worker.Core.WorkerEffect;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker.Core;

/// <summary>The worker's side of docs/protocol.md, "Long work".</summary>
public sealed class RunningReportTests
{
    private static readonly MeshWorkerSettings Two = WorkerCoreDriver.CreateOptions(concurrency: 2);
    private static readonly MeshWorkerSettings Lines = WorkerCoreDriver.CreateOptions(transport: WorkerTransport.Tcp);
    private static readonly TimeSpan Interval = WorkerCoreDriver.Options.RunningInterval;

    [Fact]
    public void Attempt_RunsLong_IsReportedAtEachInterval()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());
        for (var i = 0; i < 3; i++)
        {
            var before = rig.Now;
            rig.Wake();

            Assert.Equal(Interval, rig.Now - before);
            var running = Assert.Single(rig.Running);
            Assert.Equal((rig.Link, rig.Attempt), (running.Link, running.Attempt));
            Assert.Equal(new TaskStatus(TaskOutcome.Running, TaskType.Query, WorkerCoreDriver.Me) { Id = new TaskId("t1") }, running.Status);
            rig.Receive(WorkerCoreDriver.AckOf("t1"));
            Assert.Empty(rig.Effects);
        }
    }

    [Fact]
    public void Attempt_WithoutTaskId_IsNotReported()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(new NewTask(TaskType.Query, "maria"));

        Assert.Null(rig.WakeAt);
    }

    [Fact]
    public void Attempt_Ended_IsNotReported()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query("t1"));
        var first = rig.Attempt;
        rig.Pass(TimeSpan.FromSeconds(1)).Receive(WorkerCoreDriver.Query("t2")).Finish(first);
        rig.Receive(WorkerCoreDriver.AckOf("t1"));

        Assert.Equal("t2", Assert.Single(rig.Wake().Running).Status.Id!.Value.Value);
    }

    [Fact]
    public void Ack_OfRunning_DoesNotAcknowledgeTheFinalStatus()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());
        rig.Wake();
        rig.Finish();
        rig.Receive(WorkerCoreDriver.AckOf("t1")).End();
        rig.Wake();

        rig.Connect();

        Assert.Equal(TaskOutcome.Ok, Assert.Single(rig.Sent.OfType<TaskStatus>()).Outcome);
    }

    [Fact]
    public void Ack_MissingOnTheConnection_NoFurtherRunningUntilReconnected()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());
        Assert.Single(rig.Wake().Running);
        Assert.Empty(rig.Wake().Running);
        rig.End();
        rig.Wake();

        Assert.Single(rig.Connect().Running);
    }

    [Fact]
    public void Reconnected_AttemptStillRuns_IsReportedAtOnceBeforePolling()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query()).End();
        rig.Wake();

        rig.Connect();

        Assert.IsType<SendRunning>(rig.Effects[^2]);
        Assert.IsType<GetTask>(Assert.IsType<Send>(rig.Effects[^1]).Message);
    }

    [Theory]
    [InlineData(TaskOutcome.Nok)]
    [InlineData(TaskOutcome.Ok)]
    public void Cancel_InTheAck_CancelsTheHandlerAndReportsItsEnd(TaskOutcome outcome)
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());
        rig.Wake();

        rig.Receive(WorkerCoreDriver.AckOf("t1") with { Cancel = true });
        Assert.Contains(new CancelAttempt(rig.Attempt), rig.Effects);
        Assert.Equal(new WorkerEvent.AttemptCancelled(new TaskId("t1")), Assert.Single(rig.Reported));
        Assert.Null(rig.WakeAt);

        _ = outcome == TaskOutcome.Ok ? rig.Finish() : rig.FinishCancelled();
        var status = Assert.Single(rig.Sent.OfType<TaskStatus>());
        Assert.Equal((outcome, false, outcome == TaskOutcome.Ok ? null : "cancelled"), (status.Outcome, status.HandedBack, status.Error));
    }

    [Fact]
    public void Cancel_WhileTheWorkerLeaves_IsNotHandedBack()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query()).Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        Assert.Single(rig.Wake().Running);

        rig.Receive(WorkerCoreDriver.AckOf("t1") with { Cancel = true }).FinishCancelled();

        var status = Assert.Single(rig.Sent.OfType<TaskStatus>());
        Assert.Equal((TaskOutcome.Nok, false, "cancelled"), (status.Outcome, status.HandedBack, status.Error));
    }

    [Fact]
    public void Cancel_OfAnEndedAttempt_ChangesNothing()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());
        rig.Wake();
        rig.Finish();

        rig.Receive(WorkerCoreDriver.AckOf("t1") with { Cancel = true });

        Assert.Empty(rig.Effects);
    }

    [Fact]
    public void Leaving_AttemptStillRuns_IsReported()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query()).Receive(new Redirect(WorkerCoreDriver.BorrowerAt));

        Assert.Single(rig.Wake().Running);
    }

    [Fact]
    public void Rejection_OfRunning_SendsNoMoreUntilReconnectedAndKeepsPolling()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query());
        rig.Wake();

        rig.Receive(new Rejection("STATUS: is not OK or NOK"));
        Assert.Equal(new WorkerEvent.RunningRejected(new(null, Framing.WebSocket), "STATUS: is not OK or NOK"), Assert.Single(rig.Reported));
        Assert.Empty(rig.Sent);
        var poll = rig.WakeAt;
        Assert.True(poll > rig.Now + Interval);
        rig.Finish();
        Assert.Single(rig.Sent.OfType<TaskStatus>());
        rig.Receive(WorkerCoreDriver.Query("t2")).End();
        rig.Wake();

        rig.Connect();

        Assert.Equal("t2", Assert.Single(rig.Running).Status.Id!.Value.Value);
    }

    [Fact]
    public void Rejection_OfRunningByABorrower_DoesNotSendTheWorkerHome()
    {
        var rig = WorkerCoreDriver.Away().Receive(WorkerCoreDriver.Query());
        rig.Wake();

        rig.Receive(new Rejection("STATUS: is not OK or NOK"));

        Assert.IsType<WorkerEvent.RunningRejected>(Assert.Single(rig.Reported));
        rig.Finish();
        Assert.Single(rig.Sent.OfType<GetTask>());
    }

    [Fact]
    public void Lines_RunningAcknowledgedWithCancel_CancelsTheHandler()
    {
        var rig = WorkerCoreDriver.AtHome(Lines).Receive(WorkerCoreDriver.Query());
        Assert.Single(rig.Wake().Running);
        Assert.Empty(rig.Feed(new WorkerInput.RunningAcknowledged(rig.Link, new TaskId("t1"), Cancel: false)).Effects);
        Assert.Single(rig.Wake().Running);

        rig.Feed(new WorkerInput.RunningAcknowledged(rig.Link, new TaskId("t1"), Cancel: true));

        Assert.Contains(new CancelAttempt(rig.Attempt), rig.Effects);
    }

    [Fact]
    public void Lines_RunningRejected_SendsNoMore()
    {
        var rig = WorkerCoreDriver.AtHome(Lines).Receive(WorkerCoreDriver.Query());
        rig.Wake();

        rig.Feed(new WorkerInput.RunningRejected(rig.Link, "STATUS: is not OK or NOK"));

        Assert.Null(rig.WakeAt);
        Assert.Equal(TaskOutcome.Ok, Assert.Single(rig.Finish().Sent.OfType<TaskStatus>()).Outcome);
    }

    [Fact]
    public void Lines_ServerUnreachable_ReportsAtOnceWhenItIsBack()
    {
        var rig = WorkerCoreDriver.AtHome(Lines).Receive(WorkerCoreDriver.Query());
        var running = Assert.Single(rig.Wake().Running);

        rig.Feed(new WorkerInput.ExchangeFailed(rig.Link, running.Status, "refused"));
        Assert.Empty(rig.Running);

        Assert.Single(rig.Wake().Running);
    }
}
