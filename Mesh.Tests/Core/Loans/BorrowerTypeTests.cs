using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Tests.Fixtures;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Loans;

/// <summary>The borrower's side of loans for tasks of several types. ReleaseAfter is 2 s, the marks are 5 and 15.</summary>
public sealed class BorrowerTypeTests : BorrowerTestBase
{
    private static readonly TaskType Resize = new("RESIZE");
    private static readonly TaskTypeSet Resizes = TaskTypeSet.Of(Resize);

    [Fact]
    public void Request_NamesTheTypesOfTheBacklog()
    {
        Harness.Alive();
        Harness.Submit(10, Resize);
        Harness.Submit(6);
        Harness.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(TaskTypeSet.Of(Resize, TaskType.Query), Assert.Single(Requests()).Tasks);
        Assert.Equal(TaskTypeSet.Of(Resize, TaskType.Query), Assert.Single(Harness.ToPeers, send => send.Message is WorkerRequest).ReportOnSend is WorkersRequested asked ? asked.Types : null);
    }

    [Fact]
    public void TypeThatNoWorkerHandles_BelowTheHighMark_IsRequestedAfterTheTime()
    {
        Harness.Alive();
        Harness.Ask("own", tasks: AccountTypes.All);
        Harness.Submit(1, Resize);
        Harness.Pass(TimeSpan.FromSeconds(1.9));
        Assert.Empty(Requests());

        Harness.Pass(TimeSpan.FromSeconds(1.2));
        var request = Assert.Single(Requests());
        Assert.Equal((1, Resizes), (request.WorkersNeeded, request.Tasks));
    }

    [Fact]
    public void TypeThatOnlyASetAsideOrGoneWorkerHandles_IsRequested()
    {
        Harness.Alive();
        var session = Harness.Ask("own", tasks: Resizes);
        Harness.Close(session);
        Harness.Submit(1, Resize);
        Harness.Pass(TimeSpan.FromSeconds(4));
        Assert.Single(Requests());
    }

    [Fact]
    public void BorrowedWorker_OfTheOnlyHandledType_IsReturnedWhenTheTypeIsDone()
    {
        Harness.Alive();
        Harness.Submit(2, Resize);
        Harness.Pass(TimeSpan.FromSeconds(4));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        var guest = Harness.Ask("g1", home: "server-b", tasks: Resizes);
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(Releases());

        for (var settled = 0; settled < 2; settled++)
        {
            Settle("g1", guest, Resize, Resizes);
        }

        Harness.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(worker => worker.Value));
    }

    [Fact]
    public void BorrowedWorkers_QueueBetweenTheMarks_AreReturnedOneByOne()
    {
        Harness.Ask("own", tasks: AccountTypes.Query);
        Harness.Submit(14);
        foreach (var guest in new[] { "g1", "g2", "g3" })
        {
            Harness.Ask(guest, home: "server-b", tasks: AccountTypes.Query);
        }

        Assert.Equal(10, Harness.Core.QueueDepth);
        var released = new List<double>();
        for (var ticks = 1; ticks <= 100; ticks++)
        {
            Harness.Pass(TimeSpan.FromMilliseconds(100));
            released.AddRange(Enumerable.Repeat(ticks / 10.0, Harness.Events.OfType<LoanStateChanged>().Count(step => step.Loan.State == LoanState.Releasing) - released.Count));
        }

        // 10 tasks want one borrowed worker.
        Assert.Equal(2, released.Count);
        Assert.InRange(released[0], 2, 3.1);
        Assert.InRange(released[1] - released[0], 2, 3.1);
    }

    [Fact]
    public void BorrowedWorker_WithoutTypesOfTheBacklog_IsReturnedAndItsOwnerNotAskedAgainSoon()
    {
        Harness.Alive();
        Harness.Submit(20, Resize);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1"), new WorkerId("g2")]));
        Harness.Ask("g1", home: "server-b", tasks: AccountTypes.Query);
        Harness.Ask("g2", home: "server-b", tasks: Resizes);
        Harness.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(worker => worker.Value));
        Assert.Single(Requests());

        Harness.Pass(TimeSpan.FromSeconds(11));
        Harness.Alive();
        Assert.Single(Requests());
        Harness.Pass(TimeSpan.FromSeconds(3));
        Assert.Equal(2, Requests().Count());
    }

    [Fact]
    public void Owner_ReportsALongerQueue_GetsItsWorkersBackAndIsNotAsked()
    {
        Borrow("g1");
        Harness.Pass(TimeSpan.FromSeconds(5));
        Assert.Empty(Releases());
        var before = Requests().Count();

        Harness.Alive(load: new ServerLoad(19, 0));
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(Releases());

        Harness.Ask("own", tasks: AccountTypes.Query);
        Harness.Alive(load: new ServerLoad(20, 0));
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(worker => worker.Value));

        // The queue of this server is longer now. The owner is asked again when its queue is not above the mark.
        Harness.Submit(30);
        Harness.Alive(load: new ServerLoad(16, 0));
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(before, Requests().Count());
        Harness.Alive(load: new ServerLoad(15, 0));
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(before + 1, Requests().Count());
    }

    [Fact]
    public void Owner_GotWorkersBack_IsNotAskedForTheTime()
    {
        var guest = BorrowUntilReleased();
        AcknowledgeRelease();
        Harness.Close(guest);
        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        var before = Requests().Count();

        Harness.Submit(20);
        Harness.Pass(LastRelease + TimeSpan.FromSeconds(1.9) - Harness.Now);
        Assert.Equal(before, Requests().Count());
        Harness.Pass(TimeSpan.FromSeconds(1.2));
        Assert.Equal(before + 1, Requests().Count());
    }

    [Fact]
    public void Owner_RefusesDuringTheTime_DoesNotShortenIt()
    {
        BorrowUntilReleased();
        var before = Requests().Count();
        Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
        Harness.Submit(20);
        Harness.Pass(LastRelease + TimeSpan.FromSeconds(1.9) - Harness.Now);
        Assert.Equal(before, Requests().Count());
    }

    private DateTimeOffset LastRelease => Harness.Events.OfType<LoanStateChanged>().Last(step => step.Loan.State == LoanState.Releasing).Loan.Since;

    /// <summary>Borrows g1, settles all tasks, and stops at the time of the release.</summary>
    private SessionId BorrowUntilReleased()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        for (var ticks = 0; !Releases().Any(); ticks++)
        {
            Assert.InRange(ticks, 0, 40);
            Harness.Pass(TimeSpan.FromMilliseconds(100));
        }

        return guest;
    }

    private void Settle(string worker, SessionId session, TaskType type, TaskTypeSet handles)
    {
        var task = Harness.To(session).OfType<NewTask>().Last();
        Harness.Say(session, new TaskStatus(TaskOutcome.Ok, type, new WorkerId(worker)) { Id = task.Id });
        Harness.Ask(worker, session, home: "server-b", tasks: handles);
    }
}
