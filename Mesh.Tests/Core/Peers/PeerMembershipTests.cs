using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Tests.Core.Loans;

namespace Mesh.Tests.Core.Peers;

/// <summary>Peers that are added, changed and removed while the server runs.</summary>
public sealed class PeerMembershipTests : BorrowerTestBase
{
    private static readonly ServerId Third = new("SERVER_3");
    private static readonly ServerId Fourth = new("server-d");
    private static readonly PeerSettings PeerB = new(CoreHarness.Peer, CoreHarness.PeerEndpoint);
    private static readonly PeerSettings PeerC = new(Third, new MeshEndpoint("127.0.0.1", 9003));
    private static readonly PeerSettings PeerD = new(Fourth, new MeshEndpoint("10.0.0.4", 9004));

    [Fact]
    public void Peer_Added_GetsAHeartbeatAndLends()
    {
        Harness.ChangePeers(PeerB, PeerC, PeerD);

        Assert.Equal([(CoreHarness.Peer, true), (Third, true), (Fourth, true)], Harness.Links);
        Assert.Single(Harness.ToPeer<Heartbeat>(Fourth));
        Assert.Equal([new PeerConfigured(Fourth, PeerD.Endpoint)], Harness.Events.OfType<PeerConfigured>());

        Harness.Alive(Fourth);
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.NotEmpty(Harness.ToPeer<WorkerRequest>(Fourth));
    }

    [Fact]
    public void Peer_AddedWithAnIdThatWasUnknown_BorrowsWorkers()
    {
        Harness.Ask("w1");
        Harness.Ask("w2");
        var request = new WorkerRequest(PeerD.Endpoint) { Server = Fourth };
        Harness.Last<Unavailable>(Harness.Say(request));

        Harness.ChangePeers(PeerB, PeerC, PeerD);

        Assert.Single(Harness.Last<Available>(Harness.Say(request)).Workers);
    }

    [Fact]
    public void Peers_SameSet_ChangesNothing()
    {
        var (links, sent) = (Harness.Links.Count, Harness.ToPeers.Count);

        Harness.ChangePeers(PeerC, PeerB);

        Assert.Equal((links, sent), (Harness.Links.Count, Harness.ToPeers.Count));
        Assert.Empty(Harness.Events);
    }

    [Fact]
    public void Peer_RemovedWithoutLoans_IsForgottenAtOnce()
    {
        Harness.Alive();

        Harness.ChangePeers(PeerC);

        Assert.Equal((CoreHarness.Peer, false), Harness.Links[^1]);
        Assert.Equal([new PeerLeaving(CoreHarness.Peer, 0)], Harness.Events.OfType<PeerLeaving>());
        Assert.Equal([new PeerRemoved(CoreHarness.Peer)], Harness.Events.OfType<PeerRemoved>());
        Assert.Equal(Third, Assert.Single(Harness.Core.GetStatus().Peers).Id);
        Assert.Equal(1, Harness.Core.Footprint.Peers);
    }

    [Fact]
    public void Peer_Removed_GetsNoLoanAndNoRequest()
    {
        Borrow("g1");
        Harness.Ask("w1");
        Harness.Ask("w2");
        Harness.ChangePeers(PeerC);
        var requests = Requests().Count();

        Harness.Submit(40);
        Harness.Pass(TimeSpan.FromSeconds(3));

        Harness.Last<Unavailable>(Harness.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer }));
        Assert.Equal(requests, Requests().Count());
    }

    [Fact]
    public void BorrowedWorker_OwnerRemoved_IsReleasedAndReturned()
    {
        var session = Borrow("g1");

        Harness.ChangePeers(PeerC);
        Assert.Equal([new WorkerId("g1")], Assert.Single(Releases()).Workers);
        AcknowledgeRelease();
        SettleOne("g1", session);
        Assert.Equal(CoreHarness.PeerEndpoint, Harness.Last<Return>(session).Target);
        Assert.DoesNotContain((CoreHarness.Peer, false), Harness.Links);
        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));

        // The peer was not to be asked for workers for a moment after the release. It is forgotten after that.
        Harness.Pass(TimeSpan.FromSeconds(20));
        AssertForgotten();
    }

    [Fact]
    public void BorrowedWorker_RemovedOwnerDoesNotAnswer_IsReturnedWithoutAcknowledgement()
    {
        var session = Borrow("g1");
        Harness.ChangePeers(PeerC);
        SettleOne("g1", session);

        for (var answered = 0; Harness.LoanOf("g1") == LoanState.Releasing; answered++)
        {
            Assert.InRange(answered, 0, 5);
            Harness.FailPeerRequest(CoreHarness.Peer, Releases().Last());
            Harness.Pass(TimeSpan.FromSeconds(31));
        }

        Assert.Equal(LoanState.Returning, Harness.LoanOf("g1"));
        SettleOne("g1", session);
        Harness.Last<Return>(session);
        Harness.Pass(TimeSpan.FromMinutes(2));
        AssertForgotten();
    }

    [Fact]
    public void Available_OfAPeerThatWasRemovedMeanwhile_IsReleasedAtOnce()
    {
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.ChangePeers(PeerC);
        Assert.DoesNotContain((CoreHarness.Peer, false), Harness.Links);

        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        Harness.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal([new WorkerId("g1")], Releases().First().Workers);
    }

    [Fact]
    public void LentWorker_BorrowerRemoved_MayStillBeReleased()
    {
        var lent = Lend();
        Harness.ChangePeers(PeerC);
        Assert.Equal(LoanState.Lent, Harness.LoanOf(lent.Value));

        Harness.Last<ReleaseAck>(Harness.Say(new CommandRelease(CoreHarness.Peer, [lent])));
        Harness.Ask(lent.Value);

        Assert.Equal([lent], Assert.Single(Harness.ToPeer<ReleaseCompleted>(CoreHarness.Peer)).Workers);
        AssertForgotten();
    }

    [Fact]
    public void LentWorker_RemovedBorrowerIsDead_LoanEndsAsWithALostPeer()
    {
        var lent = Lend();
        Harness.ChangePeers(PeerC);

        for (var minute = 0; minute < 10; minute++)
        {
            Harness.FailPeerRequest(CoreHarness.Peer, new Heartbeat(CoreHarness.Self));
            Harness.Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Null(Harness.LoanOf(lent.Value));
        Assert.Contains(Harness.Events.OfType<LoanEnded>(), ended => ended.Reason == "the borrower is lost");
        AssertForgotten();
    }

    [Fact]
    public void OfferedWorker_BorrowerRemoved_StaysAtHome()
    {
        Harness.Alive();
        var session = Harness.Ask("w1");
        Harness.Ask("w2");
        Harness.HoldStore = true;
        var request = Harness.Say(new WorkerRequest(CoreHarness.PeerEndpoint));
        Harness.ChangePeers(PeerC);
        Harness.Pass(TimeSpan.FromSeconds(2));

        Harness.Store();

        Harness.Last<Unavailable>(request);
        Assert.Empty(Harness.To(session).OfType<Redirect>());
        AssertForgotten();
    }

    [Fact]
    public void Peer_AddedAgainBeforeItsLoansHaveEnded_KeepsItsLink()
    {
        var session = Borrow("g1");
        var links = Harness.Links.Count;
        Harness.ChangePeers(PeerC);
        Harness.ChangePeers(PeerB, PeerC);
        AcknowledgeRelease();
        SettleOne("g1", session);

        Harness.Last<Return>(session);
        Assert.Equal(links, Harness.Links.Count);
        Assert.Equal(2, Harness.Core.Footprint.Peers);
    }

    [Fact]
    public void Peer_AddressChanged_KeepsItsLoansAndIsContactedThere()
    {
        var session = Borrow("g1");
        var moved = PeerB with { Endpoint = new MeshEndpoint("10.0.0.9", 9009) };
        var heartbeats = Harness.ToPeer<Heartbeat>(CoreHarness.Peer).Count();

        Harness.ChangePeers(moved, PeerC);

        Assert.Equal((CoreHarness.Peer, true), Harness.Links[^1]);
        Assert.Equal(heartbeats + 1, Harness.ToPeer<Heartbeat>(CoreHarness.Peer).Count());
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
        Assert.False(Harness.Core.GetStatus().Peers.Single(peer => peer.Id == CoreHarness.Peer).Alive);
        Harness.Alive();
        DrainQueue(session);
        Harness.Pass(TimeSpan.FromSeconds(4));
        AcknowledgeRelease();
        Assert.Equal(moved.Endpoint, Harness.Last<Return>(session).Target);
    }

    [Fact]
    public void Link_Replaced_IsNotCurrentAnyMore()
    {
        var old = Harness.Core.State.Peers.Find(CoreHarness.Peer)!.Link;
        Assert.True(Harness.Core.IsCurrentLink(CoreHarness.Peer, old));

        Harness.ChangePeers(PeerB with { IsTls = true }, PeerC);
        Assert.False(Harness.Core.IsCurrentLink(CoreHarness.Peer, old));

        var current = Harness.Core.State.Peers.Find(CoreHarness.Peer)!.Link;
        Harness.ChangePeers(PeerC);
        Harness.ChangePeers(PeerB, PeerC);
        Assert.False(Harness.Core.IsCurrentLink(CoreHarness.Peer, current));
    }

    private WorkerId Lend()
    {
        Harness.Alive();
        Harness.Ask("w1");
        Harness.Ask("w2");
        return Harness.Last<Available>(Harness.Say(new WorkerRequest(CoreHarness.PeerEndpoint))).Workers[0];
    }

    private void AssertForgotten()
    {
        Assert.Equal((CoreHarness.Peer, false), Harness.Links[^1]);
        Assert.Equal((1, 0, 0), (Harness.Core.Footprint.Peers, Harness.Core.Footprint.Loans, Harness.Core.Footprint.ReleaseBatches));
    }
}
