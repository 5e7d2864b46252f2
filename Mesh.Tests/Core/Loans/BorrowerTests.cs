using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core.Loans;

public sealed class BorrowerTests : BorrowerTestBase
{
    [Fact]
    public void Queue_AboveHighThreshold_RequestsWorkersInProportion()
    {
        Harness.Alive();
        Harness.Ask("own");
        Harness.Submit(16);
        Harness.Pass(TimeSpan.FromSeconds(3));
        Assert.Empty(Requests());

        Harness.Submit(25);
        Harness.Pass(TimeSpan.FromSeconds(1));
        var request = Assert.Single(Requests());
        Assert.Equal((3, CoreHarness.Self, CoreHarness.SelfEndpoint), (request.WorkersNeeded, request.Server, request.Requestor));
    }

    /// <summary>docs/operations.md, Mesh__Timing__LoadBalancerInterval.</summary>
    [Fact]
    public void Queue_RisesAboveHighThreshold_RequestsAtOnceAndOnceInEachInterval()
    {
        Harness.Alive();
        Harness.Submit(1);
        Harness.Pass(TimeSpan.FromMilliseconds(100));
        Harness.Submit(15);
        Harness.Pass(TimeSpan.Zero);
        Assert.Single(Requests());
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        var guest = Harness.Ask("g1", home: "server-b");
        Harness.Pass(TimeSpan.FromMilliseconds(950));
        for (var i = 0; i < 3; i++)
        {
            SettleOne("g1", guest);
        }

        // The round at 1.1 s finds the queue below the mark. It then rises twice within one interval.
        Harness.Pass(TimeSpan.FromMilliseconds(200));
        Harness.Submit(20);
        Harness.Pass(TimeSpan.Zero);
        Assert.Equal(2, Requests().Count());
        Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
        Harness.Alive();
        Harness.Pass(TimeSpan.FromMilliseconds(50));
        Assert.Equal(2, Requests().Count());
    }

    [Fact]
    public void Queue_AboveHighThreshold_RequestsFromLivePeersOnly()
    {
        Harness.Submit(100);
        Harness.Pass(TimeSpan.FromSeconds(5));
        Assert.Empty(Requests());
    }

    [Fact]
    public void Borrow_PeerLendsTooFew_RequestsFromTheNextPeer()
    {
        var third = new ServerId("SERVER_3");
        Harness.Alive(load: new ServerLoad(0, 3));
        Harness.Alive(third);
        Harness.Submit(45);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(3, Requests().Single().WorkersNeeded);

        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(2, Harness.ToPeer<WorkerRequest>(third).Single().WorkersNeeded);
        Harness.Reply(third, new Unavailable(third));
        Harness.Pass(TimeSpan.FromMilliseconds(900));
        Assert.Single(Harness.ToPeer<WorkerRequest>(third));
    }

    [Fact]
    public void Request_Refused_IsRepeatedWithBackoffUpToSixteenSeconds()
    {
        Harness.Alive();
        Harness.Submit(100);
        var times = new List<TimeSpan>();
        var start = Harness.Now;
        for (var i = 0; i < 700; i++)
        {
            Harness.Pass(TimeSpan.FromMilliseconds(100));
            if (Requests().Count() > times.Count)
            {
                times.Add(Harness.Now - start);
                Harness.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
            }

            Harness.Alive();
        }

        // A request waits for the next balancing round, one second at most.
        var gaps = times.Zip(times.Skip(1), (a, b) => (b - a).TotalSeconds).Take(6).ToArray();
        Assert.Equal(6, gaps.Length);
        Assert.All(gaps.Zip([1, 2, 4, 8, 16, 16]), pair => Assert.InRange(pair.First, pair.Second - 0.1, pair.Second + 1.1));
    }

    [Fact]
    public void PromisedWorker_Arrives_IsStoredAndGetsTasks()
    {
        var guest = Borrow("g1");
        Harness.Last<NewTask>(guest);
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
        Assert.Contains(Harness.Stored, op => op is { Kind: StoreOpKind.PutLoan, Loan.State: LoanState.Expected });
        Assert.Contains(Harness.Stored, op => op is { Kind: StoreOpKind.PutLoan, Loan.State: LoanState.Arrived });
    }

    [Fact]
    public void BorrowedWorker_NotPromisedByKnownPeer_IsAccepted()
    {
        Harness.Ask("g1", home: "server-b");
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
    }

    [Fact]
    public void BorrowedWorker_UnknownOwner_IsRefusedNamingTheField()
    {
        var session = Harness.Ask("g1", home: "nobody");
        Assert.StartsWith("SERVER_UUID", Harness.Last<Rejection>(session).Error, StringComparison.Ordinal);
        Assert.Empty(Harness.Core.GetStatus().Workers);
    }

    [Fact]
    public void OwnWorker_OfferedByPeer_StaysHome()
    {
        Harness.Alive();
        var own = Harness.Ask("w1", tasks: AccountTypes.Query);
        Harness.Submit(20, TaskType.Update);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("w1")]));
        Assert.Null(Harness.LoanOf("w1"));
        Assert.Empty(Harness.To(own));
    }

    [Fact]
    public void Worker_OfThirdServerLentByPeer_IsReturnedToItsHome()
    {
        var home = new ServerId("SERVER_3");
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        var session = Harness.Ask("g1", home: "SERVER_3");
        Assert.Equal(home, Harness.Core.GetStatus().Loans.Single().Peer);

        for (var settled = 0; settled < 20; settled++)
        {
            SettleOne("g1", session, home.Value);
        }

        Harness.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal(["g1"], Assert.Single(Harness.ToPeer<CommandRelease>(home)).Workers.Select(worker => worker.Value));
        Assert.Empty(Releases());

        Harness.Reply(home, new ReleaseAck(home, [new WorkerId("g1")]));
        Assert.Equal(new MeshEndpoint("127.0.0.1", 9003), Harness.Last<Return>(session).Target);
    }
}
