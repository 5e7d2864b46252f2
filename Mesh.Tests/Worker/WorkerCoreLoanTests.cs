using Mesh.Protocol;
using Mesh.Worker.Core;
using static Mesh.Worker.Core.WorkerEffect;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker;

/// <summary>docs/protocol.md, "A loan, step by step", from the worker's side; and stopping.</summary>
public sealed class WorkerCoreLoanTests
{
    private static readonly WorkerSettings Base = new(CoreRig.Me, CoreRig.HomeServer);
    private static readonly WorkerSettings Two = Base with { Concurrency = 2 };
    private static readonly Return Back = new(new MeshEndpoint("127.0.0.1", 9001));

    [Fact]
    public void Redirect_Idle_ClosesThenDialsTheBorrower()
    {
        var rig = CoreRig.AtHome();

        rig.Hear(new Redirect(CoreRig.BorrowerAt));
        Assert.Single(rig.Effects.OfType<Close>());
        Assert.Null(rig.Dialled);
        Assert.Equal(new WorkerEvent.Lent(CoreRig.BorrowerAt), Assert.Single(rig.Told));

        rig.End();
        Assert.Equal(new Place(CoreRig.BorrowerAt, Framing.WebSocket), rig.Dialled);
    }

    [Fact]
    public void Redirect_TaskRunning_LeavesAfterItsAck()
    {
        var rig = CoreRig.AtHome(Two).Hear(CoreRig.Query());

        rig.Hear(new Redirect(CoreRig.BorrowerAt));
        Assert.Empty(rig.Effects.OfType<Close>());
        rig.Finish();
        Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Empty(rig.Effects.OfType<Close>());
        rig.Hear(CoreRig.AckOf("t1"));

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void Redirect_TaskRunsTooLong_HandsItBackAndLeaves()
    {
        var rig = CoreRig.AtHome(Two).Hear(CoreRig.Query()).Hear(new Redirect(CoreRig.BorrowerAt));

        rig.Wake();
        Assert.Equal(new CancelAttempt(rig.Attempt), Assert.Single(rig.Effects));
        rig.FinishCancelled();
        var status = Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        Assert.Equal((TaskOutcome.Nok, "the worker is called away"), (status.Outcome, status.Error));
        rig.Hear(CoreRig.AckOf("t1"));

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void Redirect_HandlerNeverEnds_IsAbandonedAndNothingIsAskedUntilItEnds()
    {
        var rig = CoreRig.AtHome(Two).Hear(CoreRig.Query()).Hear(new Redirect(CoreRig.BorrowerAt));
        rig.Wake().Wake();
        Assert.Single(rig.Effects.OfType<Close>());
        Assert.Null(rig.WakeAt);

        rig.End();
        Assert.Equal(new WorkerEvent.Abandoned(1), Assert.Single(rig.Told));
        rig.Connect();
        Assert.Empty(rig.Sent);
        rig.Finish();

        Assert.Equal(2, rig.Sent.OfType<GetTask>().Count());
        Assert.Equal(2, rig.Sent.Count());
    }

    [Fact]
    public void Redirect_ToAHostNotAllowed_IsRefused()
    {
        var rig = CoreRig.AtHome(Base with { Redirects = new(["*.example.org", "10.0.0.3", "10.0.0.2:1"]) });

        rig.Hear(new Redirect(CoreRig.BorrowerAt));

        Assert.Equal(new WorkerEvent.RefusedRedirect(CoreRig.BorrowerAt), Assert.Single(rig.Told));
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Redirect_ToALinePeer_SpeaksLines()
    {
        var rig = CoreRig.AtHome().Hear(new Redirect(CoreRig.BorrowerAt) { Framing = Framing.Line }).End();

        Assert.Equal(new Place(CoreRig.BorrowerAt, Framing.Line), rig.Dialled);
    }

    [Fact]
    public void DialFailed_BorrowerKnowsNoWebSocket_SpeaksLines()
    {
        var rig = CoreRig.AtHome().Hear(new Redirect(CoreRig.BorrowerAt)).End();

        rig.FailDial(speaksLines: true);

        Assert.Equal(new Place(CoreRig.BorrowerAt, Framing.Line), rig.Dialled);
    }

    [Fact]
    public void Redirect_Away_MeansHome()
    {
        var rig = CoreRig.Away().Hear(new Redirect(new MeshEndpoint("10.0.0.9", 1)));

        Assert.IsType<WorkerEvent.TurnedAway>(Assert.Single(rig.Told));
        Assert.True(rig.End().Dialled!.IsHome);
    }

    [Fact]
    public void Rejection_Away_MeansHome()
    {
        var rig = CoreRig.Away().Hear(new Rejection("unknown worker"));

        Assert.Equal(new WorkerEvent.TurnedAway(new(CoreRig.BorrowerAt, Framing.WebSocket), "unknown worker"), Assert.Single(rig.Told));
        Assert.True(rig.End().Dialled!.IsHome);
    }

    [Fact]
    public void Rejection_AtHome_AsksAgainAfterAPause()
    {
        var rig = CoreRig.AtHome().Hear(new Rejection("no"));

        Assert.Empty(rig.Sent);
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Return_Away_GoesHomeAndAsksThere()
    {
        var rig = CoreRig.Away().Hear(Back);
        Assert.Equal(new WorkerEvent.CalledHome(Back.Target), Assert.Single(rig.Told));

        Assert.True(rig.End().Dialled!.IsHome);

        Assert.Equal(new GetTask(CoreRig.Me) { Tasks = TaskTypes.All }, Assert.Single(rig.Connect().Sent));
    }

    [Fact]
    public void Return_AtHome_IsIgnored()
    {
        var rig = CoreRig.AtHome().Hear(Back);

        Assert.Equal(new WorkerEvent.IgnoredReturn(Back.Target), Assert.Single(rig.Told));
        Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
    }

    [Fact]
    public void Return_OverLines_WaitsForTheOtherSlotsAnswer()
    {
        var rig = CoreRig.Away(Two with { Framing = Framing.Line }).Hear(Back);
        Assert.Empty(rig.Effects.OfType<Close>());

        rig.Hear(new NoTask());

        Assert.Single(rig.Effects.OfType<Close>());
    }

    [Fact]
    public void BorrowerLost_ForFiveSeconds_GoesHome()
    {
        var rig = CoreRig.Away();
        var lostAt = rig.Now;
        rig.End();
        while (!rig.Told.OfType<WorkerEvent.GaveUpBorrower>().Any())
        {
            Assert.Equal(CoreRig.BorrowerAt, rig.Wake().Dialled!.Borrower);
            rig.FailDial();
        }

        Assert.InRange(rig.Now - lostAt, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
        Assert.True(rig.Dialled!.IsHome);
    }

    [Fact]
    public void BorrowerLost_BackInTime_Stays()
    {
        var rig = CoreRig.Away().End();
        rig.Wake();
        rig.Connect();

        Assert.Equal(CoreRig.HomeServer, Assert.IsType<GetTask>(Assert.Single(rig.Sent)).Home);
    }

    [Fact]
    public void BorrowerSilent_TakesEveryConnection_GoesHome()
    {
        var rig = CoreRig.Away();
        for (var i = 0; i < 5 && rig.Dialled is not { IsHome: true }; i++)
        {
            Assert.Single(rig.Wake().Effects.OfType<Close>());
            if (rig.End().Dialled is null)
            {
                rig.Wake();
                rig.Connect();
            }
        }

        Assert.True(rig.Dialled?.IsHome);
        Assert.Equal(new WorkerEvent.GaveUpBorrower(new(CoreRig.BorrowerAt, Framing.WebSocket)), Assert.Single(rig.Told));
    }

    [Fact]
    public void BorrowerLost_OverLines_GoesHome()
    {
        var rig = CoreRig.Away(Base with { Framing = Framing.Line });
        for (var i = 0; !rig.Told.OfType<WorkerEvent.GaveUpBorrower>().Any(); i++)
        {
            Assert.InRange(i, 0, 10);
            rig.Give(new WorkerInput.ExchangeFailed(rig.Link, new GetTask(CoreRig.Me), "refused"));
            if (!rig.Effects.OfType<Close>().Any())
            {
                Assert.IsType<GetTask>(Assert.Single(rig.Wake().Sent));
            }
        }

        Assert.True(rig.End().Dialled!.IsHome);
    }

    [Fact]
    public void BorrowerLost_WithItsTaskRunning_CancelsItAndTakesNothingHome()
    {
        var rig = CoreRig.Away(Two).Hear(CoreRig.Query("t1"));
        var second = rig.Attempt;
        rig.Hear(CoreRig.Query("t2")).Finish().End();
        while (!rig.Told.OfType<WorkerEvent.GaveUpBorrower>().Any())
        {
            rig.Wake();
            rig.FailDial();
        }

        Assert.Equal(new CancelAttempt(second), Assert.Single(rig.Effects.OfType<CancelAttempt>()));
        Assert.Null(rig.Dialled);
        Assert.True(rig.FinishCancelled(second).Dialled!.IsHome);
        Assert.DoesNotContain(rig.Connect().Sent, message => message is TaskStatus);
    }

    [Fact]
    public void Stop_Idle_ClosesAndEnds()
    {
        var rig = CoreRig.AtHome().Give(new WorkerInput.StopRequested());
        Assert.Equal(new Close(rig.Link), Assert.Single(rig.Effects));

        Assert.IsType<Stopped>(Assert.Single(rig.End().Effects));
        Assert.Empty(rig.Give(new WorkerInput.TimeCame()).Effects);
    }

    [Fact]
    public void Stop_TaskRunning_EndsAfterItsAck()
    {
        var rig = CoreRig.AtHome().Hear(CoreRig.Query()).Give(new WorkerInput.StopRequested());
        Assert.Empty(rig.Effects);

        rig.Finish();
        Assert.IsType<TaskStatus>(Assert.Single(rig.Sent));
        rig.Hear(CoreRig.AckOf("t1"));

        Assert.IsType<Stopped>(Assert.Single(rig.End().Effects));
    }

    [Fact]
    public void Stop_TaskRunsTooLong_IsHandedBack()
    {
        var rig = CoreRig.AtHome().Hear(CoreRig.Query()).Give(new WorkerInput.StopRequested()).Wake();
        Assert.Equal(new CancelAttempt(rig.Attempt), Assert.Single(rig.Effects));

        rig.FinishCancelled();

        Assert.Equal("the worker is stopping", Assert.IsType<TaskStatus>(Assert.Single(rig.Sent)).Error);
    }

    [Fact]
    public void Stop_ServerGoneAndStatusOpen_EndsSoon()
    {
        var rig = CoreRig.AtHome().Hear(CoreRig.Query()).Finish().End().Give(new WorkerInput.StopRequested());
        var stoppedAt = rig.Now;
        while (!rig.Effects.OfType<Stopped>().Any())
        {
            rig.Wake();
            if (rig.Dialled is not null)
            {
                rig.FailDial();
            }
        }

        Assert.Equal(TimeSpan.FromSeconds(3), rig.Now - stoppedAt);
        Assert.Contains(new WorkerEvent.GaveUpStatuses(1), rig.Told);
    }

    [Fact]
    public void Stop_WhileDialling_Ends()
    {
        var rig = new CoreRig().Give(new WorkerInput.Start()).Give(new WorkerInput.StopRequested());
        Assert.Equal(new Close(rig.Link), Assert.Single(rig.Effects));

        Assert.IsType<Stopped>(Assert.Single(rig.FailDial().Effects));
    }
}
