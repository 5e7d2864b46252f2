using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;
using static MeshAspire.Worker.Core.WorkerEffect;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker.Core;

/// <summary>The worker's side of docs/protocol.md, "A loan, step by step", and the stop of a worker.</summary>
public sealed class WorkerCoreLoanTests
{
    private static readonly MeshWorkerSettings Two = WorkerCoreDriver.CreateOptions(concurrency: 2);
    private static readonly Return Back = new(new MeshEndpoint("127.0.0.1", 9001));

    [Fact]
    public void Redirect_Idle_ClosesAndDialsTheBorrowerAtOnce()
    {
        var rig = WorkerCoreDriver.AtHome();
        var left = rig.Link;

        rig.Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        var borrower = new ServerTarget(WorkerCoreDriver.BorrowerAt, Framing.WebSocket);
        Assert.Equal([new Close(left), new Dial(left + 1, borrower)], rig.Effects.Where(effect => effect is Close or Dial));
        Assert.Equal(new WorkerEvent.RedirectAccepted(WorkerCoreDriver.BorrowerAt), Assert.Single(rig.Reported));
    }

    [Fact]
    public void Redirect_LeftConnectionEndsLate_ChangesNothing()
    {
        var rig = WorkerCoreDriver.AtHome(Two);
        var left = rig.Link;
        rig.Receive(new Redirect(WorkerCoreDriver.BorrowerAt)).Connect();
        Assert.Equal(2, rig.Sent.OfType<GetTask>().Count());

        Assert.Empty(rig.Feed(new WorkerInput.Received(left, WorkerCoreDriver.Query())).Effects);
        Assert.Empty(rig.Feed(new WorkerInput.Disconnected(left, "closed")).Effects);
        rig.Receive(WorkerCoreDriver.Query("t2"));
        Assert.Single(rig.Effects.OfType<RunAttempt>());
    }

    [Fact]
    public void Redirect_OverLines_DialsTheBorrowerWhenTheLinkHasEnded()
    {
        var rig = WorkerCoreDriver.AtHome(WorkerCoreDriver.CreateOptions(transport: WorkerTransport.Tcp));

        rig.Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        Assert.Single(rig.Effects.OfType<Close>());
        Assert.Null(rig.Dialled);

        Assert.Equal(new ServerTarget(WorkerCoreDriver.BorrowerAt, Framing.Line), rig.End().Dialled);
    }

    [Fact]
    public void Redirect_TaskRunning_LeavesAfterItsAck()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query());

        rig.Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        Assert.Empty(rig.Effects.OfType<Close>());
        rig.Finish();
        Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Empty(rig.Effects.OfType<Close>());
        rig.Receive(WorkerCoreDriver.AckOf("t1"));

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void Redirect_TaskRunsTooLong_HandsItBackAndLeaves()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query()).Receive(new Redirect(WorkerCoreDriver.BorrowerAt));

        WakeUntil(rig, () => rig.Effects.Contains(new CancelAttempt(rig.Attempt)));
        rig.Receive(WorkerCoreDriver.AckOf("t1")).FinishCancelled();
        var status = Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Equal((TaskOutcome.Nok, "the worker is redirected", true), (status.Outcome, status.Error, status.HandedBack));
        rig.Receive(WorkerCoreDriver.AckOf("t1"));

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void Redirect_HandlerNeverEnds_IsHandedBackAndOccupiesOnlyItsSlot()
    {
        var rig = WorkerCoreDriver.AtHome(Two).Receive(WorkerCoreDriver.Query()).Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        WakeUntil(rig, () => rig.Effects.OfType<CancelAttempt>().Any());
        var cancelledAt = rig.Now;
        WakeUntil(rig, () => rig.Reported.Any());

        Assert.Equal(TimeSpan.FromSeconds(2), rig.Now - cancelledAt);
        Assert.Equal(new WorkerEvent.AttemptsAbandoned(1, FreeSlots: 1), Assert.Single(rig.Reported));
        var status = Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Equal((TaskOutcome.Nok, true, "the worker is redirected"), (status.Outcome, status.HandedBack, status.Error));
        rig.Receive(WorkerCoreDriver.AckOf("t1"));
        Assert.Single(rig.Effects.OfType<Close>());

        rig.Leave().Connect();
        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
        rig.Finish();
        Assert.Equal(new WorkerEvent.AbandonedAttemptEnded(), Assert.Single(rig.Reported));
        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }

    [Fact]
    public void Redirect_HandlerOfTheOnlySlotNeverEnds_AsksForNothingUntilItEnds()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Receive(new Redirect(WorkerCoreDriver.BorrowerAt));
        WakeUntil(rig, () => rig.Effects.OfType<Close>().Any());
        Assert.Null(rig.WakeAt);

        rig.Leave().Connect();
        Assert.Empty(rig.Sent);
        rig.Finish();

        Assert.IsType<GetTask>(Assert.Single(rig.Sent));
    }

    [Fact]
    public void Redirect_ToAHostNotAllowed_IsRefused()
    {
        var rig = WorkerCoreDriver.AtHome(WorkerCoreDriver.CreateOptions(allowedBorrowers: ["*.example.org", "10.0.0.3", "10.0.0.2:1"]));

        rig.Receive(new Redirect(WorkerCoreDriver.BorrowerAt));

        Assert.Equal(new WorkerEvent.RedirectRefused(WorkerCoreDriver.BorrowerAt), Assert.Single(rig.Reported));
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Redirect_ToLinePeer_UsesLines()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(new Redirect(WorkerCoreDriver.BorrowerAt) { Framing = Framing.Line }).Leave();

        Assert.Equal(new ServerTarget(WorkerCoreDriver.BorrowerAt, Framing.Line), rig.Dialled);
    }

    [Fact]
    public void DialFailed_BorrowerWithoutWebSocket_UsesLines()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(new Redirect(WorkerCoreDriver.BorrowerAt)).Leave();

        rig.FailDial(speaksLines: true);

        Assert.Equal(new ServerTarget(WorkerCoreDriver.BorrowerAt, Framing.Line), rig.Dialled);
    }

    [Fact]
    public void Redirect_FromBorrower_ReturnsHome()
    {
        var rig = WorkerCoreDriver.Away().Receive(new Redirect(new MeshEndpoint("10.0.0.9", 1)));

        Assert.IsType<WorkerEvent.RejectedByBorrower>(Assert.Single(rig.Reported));
        Assert.True(rig.Leave().Dialled!.IsHome);
    }

    [Fact]
    public void Rejection_FromBorrower_ReturnsHome()
    {
        var rig = WorkerCoreDriver.Away().Receive(new Rejection("unknown worker"));

        Assert.Equal(new WorkerEvent.RejectedByBorrower(new(WorkerCoreDriver.BorrowerAt, Framing.WebSocket), "unknown worker"), Assert.Single(rig.Reported));
        Assert.True(rig.Leave().Dialled!.IsHome);
    }

    [Fact]
    public void Rejection_AtHome_PollsAgainAfterDelay()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(new Rejection("no"));

        Assert.Empty(rig.Sent);
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Return_AtBorrower_GoesHomeAndPollsThere()
    {
        var rig = WorkerCoreDriver.Away().Receive(Back);
        Assert.Equal(new WorkerEvent.ReturnAccepted(Back.Target), Assert.Single(rig.Reported));

        Assert.True(rig.Leave().Dialled!.IsHome);

        Assert.Equal(new GetTask(WorkerCoreDriver.Me) { Tasks = AccountTypes.All }, Assert.Single(rig.Connect().Sent));
    }

    [Fact]
    public void Return_AtHome_IsIgnored()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(Back);

        Assert.Equal(new WorkerEvent.ReturnIgnored(Back.Target), Assert.Single(rig.Reported));
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Return_OverLines_WaitsForTheOtherSlotsAnswer()
    {
        var rig = WorkerCoreDriver.Away(WorkerCoreDriver.CreateOptions(concurrency: 2, transport: WorkerTransport.Tcp)).Receive(Back);
        Assert.Empty(rig.Effects.OfType<Close>());

        rig.Receive(new NoTask());

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void BorrowerLost_ForFiveSeconds_GoesHome()
    {
        var rig = WorkerCoreDriver.Away();
        var lostAt = rig.Now;
        rig.End();
        while (!rig.Reported.OfType<WorkerEvent.BorrowerAbandoned>().Any())
        {
            Assert.InRange(rig.Now - lostAt, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            Assert.Equal(WorkerCoreDriver.BorrowerAt, rig.Wake().Dialled!.Borrower);
            rig.FailDial();
        }

        Assert.InRange(rig.Now - lostAt, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
        Assert.True(rig.Dialled!.IsHome);
    }

    [Fact]
    public void BorrowerLost_BackInTime_Stays()
    {
        var rig = WorkerCoreDriver.Away().End();
        rig.Wake();
        rig.Connect();

        Assert.Equal(WorkerCoreDriver.HomeServer, Assert.IsType<GetTask>(Assert.Single(rig.Sent)).Home);
    }

    [Fact]
    public void Borrower_AcceptsConnectionsAndNeverAnswers_IsAbandonedAfterTwoPollTimeouts()
    {
        var rig = WorkerCoreDriver.Away();
        var (start, connections) = (rig.Now, 0);
        while (rig.Dialled is not { IsHome: true })
        {
            Assert.InRange(++connections, 1, 2);
            Assert.Equal(rig.Now + ProtocolLimits.PollResponseTimeout, rig.WakeAt);
            Assert.Single(rig.Wake().Effects.OfType<Close>());
            if (rig.End().Dialled is null)
            {
                rig.Wake();
                rig.Connect();
            }
        }

        Assert.Equal(2, connections);
        Assert.InRange(rig.Now - start, 2 * ProtocolLimits.PollResponseTimeout, (2 * ProtocolLimits.PollResponseTimeout) + TimeSpan.FromSeconds(1));
        Assert.Equal(new WorkerEvent.BorrowerAbandoned(new(WorkerCoreDriver.BorrowerAt, Framing.WebSocket)), Assert.Single(rig.Reported));
    }

    [Fact]
    public void BorrowerLost_OverLines_GoesHome()
    {
        var rig = WorkerCoreDriver.Away(WorkerCoreDriver.CreateOptions(transport: WorkerTransport.Tcp));
        var lostAt = rig.Now;
        while (!rig.Reported.OfType<WorkerEvent.BorrowerAbandoned>().Any())
        {
            Assert.InRange(rig.Now - lostAt, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            rig.Feed(new WorkerInput.ExchangeFailed(rig.Link, new GetTask(WorkerCoreDriver.Me), "refused"));
            if (!rig.Effects.OfType<Close>().Any())
            {
                Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
            }
        }

        Assert.InRange(rig.Now - lostAt, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
        Assert.True(rig.Leave().Dialled!.IsHome);
    }

    [Fact]
    public void BorrowerLost_WithItsTaskRunning_CancelsItAndTakesNothingHome()
    {
        var rig = WorkerCoreDriver.Away(Two).Receive(WorkerCoreDriver.Query("t1"));
        var second = rig.Attempt;
        rig.Receive(WorkerCoreDriver.Query("t2")).Finish().End();
        var lostAt = rig.Now;
        while (!rig.Reported.OfType<WorkerEvent.BorrowerAbandoned>().Any())
        {
            Assert.InRange(rig.Now - lostAt, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            rig.Wake();
            rig.FailDial();
        }

        Assert.Equal(new CancelAttempt(second), Assert.Single(rig.Effects.OfType<CancelAttempt>()));
        Assert.Null(rig.Dialled);
        Assert.True(rig.FinishCancelled(second).Dialled!.IsHome);
        Assert.DoesNotContain(rig.Connect().Sent, message => message is TaskStatus);
    }

    [Fact]
    public void BorrowerLost_OverLinesWithItsTaskRunning_IsNotContactedUntilTheWorkerLeaves()
    {
        var rig = WorkerCoreDriver.Away(WorkerCoreDriver.CreateOptions(transport: WorkerTransport.Tcp)).Receive(WorkerCoreDriver.Query());
        while (!rig.Reported.OfType<WorkerEvent.BorrowerAbandoned>().Any())
        {
            _ = rig.Wake().Running.SingleOrDefault() is { } running ? rig.Feed(new WorkerInput.ExchangeFailed(rig.Link, running.Status, "refused")) : rig;
        }

        Assert.Contains(new CancelAttempt(rig.Attempt), rig.Effects);
        var abandonedAt = rig.Now;
        Assert.Equal([new Close(rig.Link)], rig.Wake().Effects);
        Assert.InRange(rig.Now - abandonedAt, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.True(rig.End().Dialled!.IsHome);
    }

    [Fact]
    public void Stop_Idle_ClosesAndEnds()
    {
        var rig = WorkerCoreDriver.AtHome().Feed(new WorkerInput.StopRequested());
        Assert.Equal(new Close(rig.Link), Assert.Single(rig.Effects));

        Assert.IsType<Stopped>(Assert.Single(rig.End().Effects));
        Assert.Empty(rig.Feed(new WorkerInput.TimerElapsed()).Effects);
    }

    [Fact]
    public void Stop_TaskRunning_EndsAfterItsAck()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Feed(new WorkerInput.StopRequested());
        Assert.Empty(rig.Effects);

        rig.Finish();
        Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        rig.Receive(WorkerCoreDriver.AckOf("t1"));

        Assert.IsType<Stopped>(Assert.Single(rig.End().Effects));
    }

    [Fact]
    public void Stop_TaskRunsTooLong_IsHandedBack()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Feed(new WorkerInput.StopRequested()).Wake();
        Assert.Contains(new CancelAttempt(rig.Attempt), rig.Effects);

        rig.FinishCancelled();

        var status = Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Equal((TaskOutcome.Nok, "the worker is stopping", true), (status.Outcome, status.Error, status.HandedBack));
    }

    [Fact]
    public void Stop_ServerGoneAndStatusOpen_EndsSoon()
    {
        var rig = WorkerCoreDriver.AtHome().Receive(WorkerCoreDriver.Query()).Finish().End().Feed(new WorkerInput.StopRequested());
        var stoppedAt = rig.Now;
        while (!rig.Effects.OfType<Stopped>().Any())
        {
            Assert.InRange(rig.Now - stoppedAt, TimeSpan.Zero, TimeSpan.FromSeconds(3));
            rig.Wake();
            if (rig.Dialled is not null)
            {
                rig.FailDial();
            }
        }

        Assert.Equal(TimeSpan.FromSeconds(3), rig.Now - stoppedAt);
        Assert.Contains(new WorkerEvent.StatusesDropped(1), rig.Reported);
    }

    [Fact]
    public void Stop_WhileDialling_Ends()
    {
        var rig = new WorkerCoreDriver().Feed(new WorkerInput.Start()).Feed(new WorkerInput.StopRequested());
        Assert.Equal(new Close(rig.Link), Assert.Single(rig.Effects));

        Assert.IsType<Stopped>(Assert.Single(rig.FailDial().Effects));
    }

    /// <summary>Wakes the worker until the condition holds. The server acknowledges each RUNNING of the task t1.</summary>
    private static void WakeUntil(WorkerCoreDriver rig, Func<bool> condition)
    {
        for (var wakes = 0; !condition(); wakes++)
        {
            Assert.InRange(wakes, 0, 20);
            if (rig.Running.Any())
            {
                rig.Receive(WorkerCoreDriver.AckOf("t1"));
            }

            rig.Wake();
        }
    }
}
