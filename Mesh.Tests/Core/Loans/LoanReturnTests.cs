using Mesh.Protocol;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Loans;

/// <summary>An operator returns all borrowed workers of a server whose queue is above the high threshold, 15 tasks.</summary>
public sealed class LoanReturnTests : BorrowerTestBase
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Return_BusyWorker_GoesHomeAfterItsTask()
    {
        var guest = Borrow("g1");

        Assert.Equal(["g1"], Return());
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(worker => worker.Value));

        AcknowledgeRelease();
        SettleOne("g1", guest);
        Assert.Equal(CoreHarness.PeerEndpoint, Harness.Last<Return>(guest).Target);
        Harness.Close(guest);
        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Empty(Harness.Core.GetStatus().Loans);
        Assert.True(Harness.Core.QueueDepth > 15);
    }

    [Fact]
    public void Return_QueueStaysHigh_BorrowsAgainAfterTheLongestHold()
    {
        Borrow("g1");
        Harness.Submit(20);
        Return();
        AcknowledgeRelease();
        var asked = Requests().Count();

        PassAlive(BorrowingCooldown.MaxDuration - Second);
        Assert.Equal(asked, Requests().Count());

        PassAlive(2 * Second);
        Assert.Equal(asked + 1, Requests().Count());
    }

    [Fact]
    public void Return_QueueFallsToTheHighMark_BorrowsAgainWhenItRises()
    {
        var guest = Borrow("g1");
        Return();
        PassAlive(Second);
        for (var settled = 0; Harness.Core.QueueDepth > 15; settled++)
        {
            Assert.InRange(settled, 0, 20);
            SettleOne("g1", guest);
        }

        AcknowledgeRelease();
        Harness.Submit(20);
        var asked = Requests().Count();

        PassAlive(BorrowingCooldown.MinDuration - (2 * Second));
        Assert.Equal(asked, Requests().Count());

        PassAlive(2 * Second);
        Assert.Equal(asked + 1, Requests().Count());
    }

    [Fact]
    public void Return_NothingBorrowed_IsEmptyAndSuspendsBorrowing()
    {
        Harness.Alive();
        Assert.Empty(Return());
        Harness.Submit(20);

        PassAlive(BorrowingCooldown.MinDuration - Second);

        Assert.Empty(Requests());
        Assert.Empty(Releases());
    }

    [Fact]
    public void Return_PromisedWorker_IsReturned()
    {
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(Second);
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(LoanState.Expected, Harness.LoanOf("g1"));

        Assert.Equal(["g1"], Return());

        Assert.Single(Releases());
        AcknowledgeRelease();
        Assert.Null(Harness.LoanOf("g1"));
    }

    [Fact]
    public void Return_WorkerArrivesAfterItsRelease_IsReturnedToo()
    {
        Return_PromisedWorker_IsReturned();
        var guest = Harness.Ask("g1", home: "server-b");
        PassAlive(Second);

        Assert.Equal(2, Releases().Count());
        AcknowledgeRelease();
        SettleOne("g1", guest);
        Harness.Last<Return>(guest);
    }

    [Fact]
    public void Return_AvailableInFlight_IsReturnedToo()
    {
        Harness.Alive(new ServerId("SERVER_3"));
        Harness.Alive();
        Harness.Submit(40);
        Harness.Pass(Second);
        Assert.Empty(Return());
        Assert.Single(Harness.ToPeers, send => send.Message is WorkerRequest);

        var asked = Harness.ToPeers.Single(send => send.Message is WorkerRequest).Peer;
        Harness.Reply(asked, new Available(asked, [new WorkerId("g1")]));
        PassAlive(Second);

        Assert.Single(Harness.ToPeer<CommandRelease>(asked));
        Assert.Single(Harness.ToPeers, send => send.Message is WorkerRequest);
    }

    [Fact]
    public void Return_CalledTwice_ReturnsSameAndSendsOneRelease()
    {
        Borrow("g1");

        Assert.Equal(["g1"], Return());
        Assert.Equal(["g1"], Return());

        Assert.Single(Releases());
    }

    [Fact]
    public void Return_ReleaseWaitsForRetry_IsSentAtOnce()
    {
        Borrow("g1");
        Return();
        Harness.FailPeerRequest(CoreHarness.Peer, Releases().Single());
        Assert.Single(Releases());

        Return();

        Assert.Equal(2, Releases().Count());
    }

    [Fact]
    public void Return_OwnerDoesNotAnswer_IsRetriedUntilAcknowledged()
    {
        Borrow("g1");
        Harness.Submit(100);
        Return();
        for (var failed = 0; failed < 7; failed++)
        {
            Harness.FailPeerRequest(CoreHarness.Peer, Releases().Last());
            PassAlive(TimeSpan.FromSeconds(31));
            Assert.Equal(failed + 2, Releases().Count());
            Return();
        }

        AcknowledgeRelease();
        var sent = Releases().Count();
        PassAlive(TimeSpan.FromMinutes(2));
        Assert.Equal(sent, Releases().Count());
    }

    [Fact]
    public void Return_StoreUnavailable_ChangesNothing()
    {
        Borrow("g1");
        Harness.HoldStore = true;
        Harness.Submit(1);
        Harness.FailStore();

        Assert.Null(Harness.ReturnLoans());
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
        Assert.Empty(Releases());

        Harness.Store();
        Assert.Equal(["g1"], Return());
    }

    [Fact]
    public void Return_LentWorker_StaysLent()
    {
        Harness.Ask("w1");
        Harness.Ask("w2");
        Harness.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer });

        Assert.Empty(Return());

        Assert.Single(Harness.Core.GetStatus().Loans, loan => loan is { Role: LoanRole.Owner, State: LoanState.Lent });
    }

    private IEnumerable<string> Return()
    {
        var workers = Harness.ReturnLoans();
        Assert.NotNull(workers);
        return workers.Select(worker => worker.Value);
    }

    /// <summary>Lets time pass while the peer answers its heartbeats.</summary>
    private void PassAlive(TimeSpan time)
    {
        for (; time > TimeSpan.Zero; time -= Second)
        {
            Harness.Pass(Second);
            Harness.Alive();
        }
    }
}
