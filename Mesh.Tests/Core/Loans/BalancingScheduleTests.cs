using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Loans;

/// <summary>docs/protocol.md, "When a balancing round is due". The interval is 1 s, ReleaseAfter is 2 s, the marks are 5 and 15.</summary>
public sealed class BalancingScheduleTests : BorrowerTestBase
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan ReleaseAfter = TimeSpan.FromSeconds(2);

    [Fact]
    public void Queue_GrowsDuringTheRequest_RequestsTheRestAtOnce()
    {
        Harness.Alive();
        Harness.Submit(16);
        Harness.Pass(TimeSpan.Zero);
        Harness.Submit(100);
        Harness.Pass(Millisecond);
        Assert.Equal(2, Assert.Single(Requests()).WorkersNeeded);

        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1"), new WorkerId("g2")]));
        Harness.Pass(TimeSpan.Zero);
        Assert.Equal([2, 6], Requests().Select(request => request.WorkersNeeded));
    }

    [Fact]
    public void Queue_GoesUpAndDownAroundTheHighMark_CausesOneEarlyRoundInEachInterval()
    {
        Harness.Alive();
        Harness.Ask("own");
        Harness.Submit(16);
        Harness.Pass(TimeSpan.FromSeconds(0.1));
        var start = Harness.Now;
        for (var i = 0; i < 200; i++)
        {
            var task = Assert.Single(Harness.Submit(1));
            Harness.Pass(TimeSpan.Zero);
            Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, []));
            Harness.Cancel(task.Id);
            Harness.Pass(TimeSpan.FromSeconds(0.05));
        }

        // Each rise above the mark would cause a request, because the peer never refuses.
        Assert.InRange(Requests().Count(), 5, 1 + (int)(Harness.Now - start).TotalSeconds);
    }

    [Fact]
    public void Peer_BecomesAliveWhileTheQueueIsAboveTheHighMark_IsAskedAtOnce()
    {
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(0.3));
        Harness.Alive();
        Harness.Pass(TimeSpan.Zero);
        Assert.Single(Requests());
    }

    [Fact]
    public void Peer_PauseAfterRefusalEnds_IsAskedAtThatTime()
    {
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(0.7));
        Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
        Harness.Pass(TimeSpan.FromSeconds(1) - Millisecond);
        Assert.Single(Requests());

        Harness.Pass(Millisecond);
        Assert.Equal(2, Requests().Count());
    }

    [Fact]
    public void Peer_ReportsMoreIdleWorkersAfterRefusal_IsAskedAtOnceAndOnce()
    {
        Harness.Alive(load: new ServerLoad(0, 1));
        Harness.Submit(20);
        Harness.Pass(TimeSpan.Zero);
        Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
        Harness.Alive(load: new ServerLoad(0, 1));
        Harness.Pass(TimeSpan.FromSeconds(0.1));
        Assert.Single(Requests());

        Harness.Alive(load: new ServerLoad(0, 3));
        Harness.Pass(TimeSpan.Zero);
        Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
        Harness.Alive(load: new ServerLoad(0, 3));
        Harness.Pass(TimeSpan.FromSeconds(0.1));
        Assert.Equal(2, Requests().Count());
    }

    [Fact]
    public void Peer_ReportsMoreIdleWorkersAfterRelease_IsNotAskedForTheTime()
    {
        BorrowAndRelease();
        var (asked, released) = (Requests().Count(), Harness.Events.OfType<LoanStateChanged>().Last(step => step.Loan.State == LoanState.Releasing).Loan.Since);
        Harness.Submit(20);
        Harness.Alive(load: new ServerLoad(0, 3));
        Harness.Pass(released + ReleaseAfter - Millisecond - Harness.Now);
        Assert.Equal(asked, Requests().Count());

        Harness.Pass(Millisecond);
        Assert.Equal(asked + 1, Requests().Count());
    }

    [Fact]
    public void Queue_BelowTheLowMarkForTheTime_ReleasesAtThatTime()
    {
        var guest = Borrow("g1");
        Harness.Pass(TimeSpan.FromSeconds(0.37));
        DrainQueue(guest);
        Harness.Pass(ReleaseAfter - Millisecond);
        Assert.Empty(Releases());

        Harness.Pass(Millisecond);
        Assert.Single(Releases());
    }

    [Fact]
    public void Worker_PromisedWhileTheQueueIsLow_IsReleasedAfterTheTime()
    {
        Harness.Alive();
        var tasks = Harness.Submit(20);
        Harness.Pass(TimeSpan.Zero);
        foreach (var task in tasks.Skip(1))
        {
            Harness.Cancel(task.Id);
        }

        Harness.Pass(TimeSpan.FromSeconds(2.71));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1"), new WorkerId("g2")]));
        Harness.Ask("g1", home: "server-b");
        Harness.Ask("g2", home: "server-b");
        Harness.Pass(ReleaseAfter - Millisecond);
        Assert.Empty(Releases());

        Harness.Pass(Millisecond);
        Assert.Single(Releases());
    }

    [Fact]
    public void TypeThatNoWorkerHandles_WaitsForTheTime_IsRequestedAtThatTime()
    {
        Harness.Alive();
        Harness.Ask("own");
        Harness.Pass(TimeSpan.FromSeconds(0.3));
        Harness.Submit(1, new TaskType("RESIZE"));
        Harness.Pass(ReleaseAfter - Millisecond);
        Assert.Empty(Requests());

        Harness.Pass(Millisecond);
        Assert.Single(Requests());
    }

    /// <summary>docs/operations.md, "How many loans", with a ReleaseAfter of 0.</summary>
    [Fact]
    public void Owner_GotWorkersBackAtOnce_IsNotAskedWithinTheIntervalOfThePromise()
    {
        var harness = new CoreHarness(settings => settings with { Balancing = settings.Balancing with { ReleaseAfter = TimeSpan.Zero } });
        harness.Alive();
        var tasks = harness.Submit(20);
        harness.Pass(TimeSpan.FromSeconds(0.001));
        harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        foreach (var task in tasks)
        {
            harness.Cancel(task.Id);
        }

        harness.Pass(TimeSpan.FromSeconds(0.1));
        Assert.Single(harness.ToPeer<CommandRelease>(CoreHarness.Peer));
        harness.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        harness.Submit(20);
        harness.Pass(TimeSpan.FromSeconds(0.899));
        Assert.Single(harness.ToPeer<WorkerRequest>(CoreHarness.Peer));

        harness.Pass(TimeSpan.FromSeconds(0.001));
        Assert.Equal(2, harness.ToPeer<WorkerRequest>(CoreHarness.Peer).Count());
    }
}
