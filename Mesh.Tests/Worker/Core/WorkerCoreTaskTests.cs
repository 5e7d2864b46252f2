using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;
using static MeshAspire.Worker.Core.WorkerEffect;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker.Core;

/// <summary>The worker's side of docs/protocol.md, "The task cycle".</summary>
public sealed class WorkerCoreTaskTests
{
    private static readonly MeshWorkerSettings Four = WorkerCoreDriver.CreateOptions(concurrency: 4);
    private static readonly MeshWorkerSettings Lines = WorkerCoreDriver.CreateOptions(transport: WorkerTransport.Tcp);

    [Fact]
    public void Connected_AtHome_PollsWithoutServer()
    {
        var rig = WorkerCoreDriver.AtHome();

        Assert.Equal(new GetTask(WorkerCoreDriver.Me) { Tasks = AccountTypes.All }, Assert.Single(rig.Sent));
        Assert.Equal(new WorkerEvent.ServerReached(new(null, Framing.WebSocket)), Assert.Single(rig.Reported));
    }

    [Fact]
    public void Connected_AtBorrower_PollsWithItsHome()
    {
        var rig = WorkerCoreDriver.Away();

        Assert.Equal(new GetTask(WorkerCoreDriver.Me, WorkerCoreDriver.HomeServer) { Tasks = AccountTypes.All }, Assert.Single(rig.Sent));
    }

    [Fact]
    public void AttemptEnded_OverWebSocket_SendsStatusAndNextPollTogether()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query());

        rig.Finish();

        Assert.Collection(rig.Sent,
            status => Assert.Equal(new TaskStatus(TaskOutcome.Ok, TaskType.Query, WorkerCoreDriver.Me) { Id = new TaskId("t1"), Result = RawJson.Of(5) }, status),
            ask => Assert.IsType<GetTask>(ask));
    }

    [Fact]
    public void AttemptEnded_OverLines_PollsAfterTheAck()
    {
        var rig = WorkerCoreDriver.AtHome(Lines).Receive(WorkerCoreDriver.Query());

        rig.Finish();
        Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));

        rig.Receive(new Ack());
        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }

    [Fact]
    public void Connected_WithConcurrency_PollsOncePerSlot()
    {
        var rig = WorkerCoreDriver.AtHome(Four);
        Assert.Equal(4, rig.Sent.Count());

        rig.Receive(WorkerCoreDriver.Query("t1"));
        Assert.Empty(rig.Sent);
        var first = rig.Attempt;
        rig.Receive(WorkerCoreDriver.Query("t2")).Finish(first);

        Assert.Equal(2, rig.Sent.Count());
    }

    [Fact]
    public void NewTask_WithoutFreeSlot_IsHandedBack()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query("t1"));

        rig.Receive(WorkerCoreDriver.Query("t2"));

        var status = Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Equal((TaskOutcome.Nok, new TaskId("t2"), true), (status.Outcome, status.Id!.Value, status.HandedBack));
    }

    [Fact]
    public void NewTask_AlreadyRunning_IsNotRunTwice()
    {
        var rig = WorkerCoreDriver.AtHome(Four).Receive(WorkerCoreDriver.Query("t1"));

        rig.Receive(WorkerCoreDriver.Query("t1"));

        Assert.Empty(rig.Effects.OfType<RunAttempt>());
        Assert.Empty(rig.Sent.OfType<TaskStatus>());
    }

    [Fact]
    public void NewTask_OfATypeWithoutHandler_IsHandedBack()
    {
        var rig = WorkerCoreDriver.AtHome(handles: AccountTypes.Query);

        rig.Receive(new NewTask(TaskType.Update, "maria", 1) { Id = new TaskId("t1") });

        var status = Assert.Single(rig.Sent.OfType<TaskStatus>());
        Assert.Equal((TaskOutcome.Nok, true), (status.Outcome, status.HandedBack));
        Assert.Single(rig.Sent.OfType<GetTask>());
    }

    [Fact]
    public void NoTask_AfterHold_PollsAtOnce()
    {
        var rig = WorkerCoreDriver.AtHome();

        rig.Pass(TimeSpan.FromSeconds(1)).Receive(new NoTask());

        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }

    [Fact]
    public void NoTask_ServerDoesNotHold_PollsWithBackoffUpToOneSecond()
    {
        var rig = WorkerCoreDriver.AtHome();
        var pauses = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            rig.Receive(new NoTask());
            Assert.Empty(rig.Sent);
            var before = rig.Now;
            rig.Wake();
            Assert.IsType<GetTask>(Assert.Single(rig.Sent));
            pauses.Add((rig.Now - before).TotalMilliseconds);
        }

        Assert.Equal([50, 100, 200, 400, 800, 1000, 1000], pauses);
        rig.Receive(WorkerCoreDriver.Query()).Finish().Receive(new NoTask()).Receive(WorkerCoreDriver.AckOf("t1"));
        Assert.Equal(rig.Now + TimeSpan.FromMilliseconds(50), rig.WakeAt);
    }

    [Fact]
    public void Disconnected_StatusWithoutAck_IsSentAgainBeforePolling()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Finish().End();
        rig.Wake();

        rig.Connect();

        Assert.Collection(rig.Sent, status => Assert.Equal(new TaskId("t1"), Assert.IsType<TaskStatus>(status).Id), ask => Assert.IsType<GetTask>(ask));
    }

    [Fact]
    public void Disconnected_StatusWithAck_IsNotSentAgain()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Finish().Receive(WorkerCoreDriver.AckOf("t1")).End();
        rig.Wake();

        rig.Connect();

        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }

    [Fact]
    public void Disconnected_TaskRunning_ContinuesAndIsReportedAfterReconnecting()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).End();
        rig.Finish();
        Assert.Empty(rig.Sent);
        rig.Wake();

        rig.Connect();

        Assert.Equal(new TaskId("t1"), rig.Sent.OfType<TaskStatus>().Single().Id);
    }

    [Fact]
    public void Ack_WithoutTaskId_AnswersTheOldestStatus()
    {
        var rig = WorkerCoreDriver.AtHome(Four).Receive(WorkerCoreDriver.Query("t1"));
        var first = rig.Attempt;
        rig.Receive(WorkerCoreDriver.Query("t2")).Finish(first).Finish(rig.Attempt).Receive(new Ack()).End();
        rig.Wake();

        rig.Connect();

        Assert.Equal(new TaskId("t2"), rig.Sent.OfType<TaskStatus>().Single().Id);
    }

    [Fact]
    public void Statuses_NeverAcknowledged_StopPollingThenAreDropped()
    {
        var rig = WorkerCoreDriver.AtHome();
        var tasks = 0;
        do
        {
            Assert.InRange(tasks, 0, 17);
            rig.Receive(WorkerCoreDriver.Query($"t{tasks++}")).Finish();
        }
        while (rig.Sent.OfType<GetTask>().Any());

        Assert.Equal(17, tasks);
        var repeats = 0;
        do
        {
            Assert.InRange(repeats, 0, 17 * 9);
            repeats += rig.Wake().Sent.OfType<TaskStatus>().Count();
        }
        while (!rig.Reported.Any());

        Assert.Equal(17 * 9, repeats);
        Assert.Equal(new WorkerEvent.StatusesDropped(17), Assert.Single(rig.Reported));
        Assert.Single(rig.Sent.OfType<GetTask>());
    }

    [Fact]
    public void GetTask_NeverAnswered_ReplacesTheConnection()
    {
        var rig = WorkerCoreDriver.AtHome();

        Assert.Equal(rig.Now + TimeSpan.FromSeconds(45), rig.WakeAt);
        rig.Wake();
        Assert.Equal(new Close(rig.Link), Assert.Single(rig.Effects));
        var old = rig.Link;
        rig.End();
        rig.Wake();

        Assert.Equal(old + 1, rig.Link);
    }

    [Fact]
    public void Received_FromClosedLink_IsIgnored()
    {
        var rig = WorkerCoreDriver.AtHome();
        var old = rig.Link;
        rig.End().Wake();
        rig.Connect();

        rig.Feed(new WorkerInput.Received(old, WorkerCoreDriver.Query()));
        Assert.Empty(rig.Effects);
        rig.Feed(new WorkerInput.Disconnected(old, "late"));
        Assert.Empty(rig.Effects);
    }

    [Fact]
    public void Home_Unreachable_IsRetriedIndefinitelyWithBackoff()
    {
        var rig = WorkerCoreDriver.AtHome().End();
        var waits = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            var before = rig.Now;
            rig.Wake();
            waits.Add((rig.Now - before).TotalSeconds);
            Assert.True(rig.Dialled!.IsHome);
            rig.FailDial();
        }

        double[] nominal = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10, 10, 10, 10];
        Assert.All(waits.Zip(nominal), pair => Assert.InRange(pair.First, pair.Second * 0.8, pair.Second * 1.2));
    }

    [Fact]
    public void ExchangeFailed_OverLines_RepeatsTheStatusThenPolls()
    {
        var rig = WorkerCoreDriver.AtHome(Lines).Receive(WorkerCoreDriver.Query()).Finish();
        var status = rig.Sent.Single();

        rig.Feed(new WorkerInput.ExchangeFailed(rig.Link, status, "timeout"));
        Assert.Empty(rig.Sent);
        rig.Wake();
        Assert.Same(status, Assert.Single(rig.Sent));
        rig.Receive(WorkerCoreDriver.AckOf("t1"));

        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }
}
