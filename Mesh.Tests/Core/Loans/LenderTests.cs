using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;

namespace Mesh.Tests.Core.Loans;

public sealed class LenderTests
{
    private static readonly ServerId Line = new("SERVER_3");
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Request_WithIdleWorkers_StoresTheLoanBeforeItAnswers()
    {
        var worker = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.HoldStore = true;
        var borrower = Request(1);
        Assert.Empty(_mesh.Sent);

        _mesh.Store();
        Assert.Equal(["w1"], _mesh.Last<Available>(borrower).Workers.Select(w => w.Value));
        Assert.Equal(CoreHarness.PeerEndpoint, _mesh.Last<Redirect>(worker).Target);
        Assert.Contains(_mesh.Stored, op => op is { Kind: StoreOpKind.PutLoan, Loan.State: LoanState.Offered });
        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w1"));
    }

    [Fact]
    public void Request_KeepsTheMinimumAtHome()
    {
        _mesh.Ask("w1");
        _mesh.Last<Unavailable>(Request(1));

        _mesh.Ask("w2");
        Assert.Single(_mesh.Last<Available>(Request(5)).Workers);
        _mesh.Last<Unavailable>(Request(5));
    }

    [Fact]
    public void Request_AllWorkersBusyOrGone_IsRefused()
    {
        _mesh.Submit(1);
        _mesh.Ask("busy");
        _mesh.Close(_mesh.Ask("gone"));
        _mesh.Ask("third");
        _mesh.Ask("fourth");
        Assert.Equal(["third", "fourth"], _mesh.Last<Available>(Request(9)).Workers.Select(w => w.Value));
        _mesh.Last<Unavailable>(Request(9));
    }

    [Fact]
    public void Request_AboveTheHighMark_IsRefused()
    {
        _mesh.Submit(16, TaskType.Update);
        _mesh.Ask("py1", framing: Framing.Line, sendsTypes: false);
        _mesh.Ask("py2", framing: Framing.Line, sendsTypes: false);
        _mesh.Last<Unavailable>(Request(1));
    }

    [Fact]
    public void Request_ForAnotherAddress_IsRefusedNamingTheSetting()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");

        _mesh.Last<Unavailable>(_mesh.Say(Elsewhere()));

        Assert.Contains(_mesh.Events, happened => happened is MessageRejected { Error: var error } && error.Contains("Mesh__Redirect__Allowed", StringComparison.Ordinal));
        Assert.Null(_mesh.LoanOf("w1"));
    }

    [Fact]
    public void Request_ForAllowedAddress_IsServed()
    {
        var mesh = new CoreHarness(settings => settings with { Redirects = EndpointPatterns.Of(["*.example.org"]) });
        var worker = mesh.Ask("w1");
        mesh.Ask("w2");

        mesh.Last<Available>(mesh.Say(Elsewhere()));

        Assert.Equal(Elsewhere().Requestor, mesh.Last<Redirect>(worker).Target);
    }

    [Fact]
    public void Request_UnknownServer_IsRefused()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Last<Unavailable>(_mesh.Say(new WorkerRequest(new MeshEndpoint("10.9.9.9", 1))));
        Assert.Contains(_mesh.Events, happened => happened is MessageRejected);
    }

    [Fact]
    public void Request_OfAnOlderPeer_IsMatchedByItsAddressAndLendsOne()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Ask("w3");
        var session = _mesh.Say(new WorkerRequest(new MeshEndpoint("localhost", 9003)));
        Assert.Single(_mesh.Last<Available>(session).Workers);
        Assert.Equal(Line, _mesh.Core.GetStatus().Loans[0].Peer);
    }

    [Fact]
    public void Redirect_ToLinePeer_NamesLineFraming()
    {
        _mesh.Core.OnPeerFraming(Line, Framing.Line);
        var worker = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Say(new WorkerRequest(new MeshEndpoint("127.0.0.1", 9003)));
        Assert.Equal(Framing.Line, _mesh.Last<Redirect>(worker).Framing);
    }

    [Fact]
    public void LineWorker_GetsItsRedirectOnItsNextPoll()
    {
        _mesh.Submit(1);
        _mesh.Ask("busy");
        _mesh.Close(_mesh.Ask("py", framing: Framing.Line, sendsTypes: false));
        Assert.Single(_mesh.Last<Available>(Request(1)).Workers);
        _mesh.Pass(TimeSpan.FromSeconds(3));
        _mesh.Last<Redirect>(_mesh.Ask("py", framing: Framing.Line, sendsTypes: false));
    }

    [Fact]
    public void OfferedWorker_GetsNoTask()
    {
        var worker = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.HoldStore = true;
        Request(1);
        _mesh.Submit(3);
        _mesh.Store();
        Assert.IsType<Redirect>(Assert.Single(_mesh.To(worker)));
    }

    [Fact]
    public void WorkerWithSeveralSlots_Lent_IsRedirectedOnceAndOtherPollsWait()
    {
        var session = _mesh.Ask("w1");
        _mesh.Ask("w1", session);
        _mesh.Ask("w2");
        Request(1);
        _mesh.Ask("w1", session);
        _mesh.Submit(2);

        Assert.IsType<Redirect>(Assert.Single(_mesh.To(session)));
        _mesh.Close(session);
        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w1"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OfferedWorker_ReleasedBeforeItIsStored_IsNotOffered(int offered)
    {
        var worker = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Ask("w3");
        _mesh.HoldStore = true;
        var session = Request(offered);
        Release("w1");
        _mesh.Store();

        var names = _mesh.To(session).OfType<Available>().SelectMany(available => available.Workers);
        Assert.Equal(offered - 1, names.Count());
        Assert.Equal(offered == 1, _mesh.To(session).OfType<Unavailable>().Any());
        Assert.Empty(_mesh.To(worker).OfType<Redirect>());
    }

    [Fact]
    public void WorkerWithSeveralSlots_LeavesSlowly_StaysLent()
    {
        var session = _mesh.Ask("w1");
        _mesh.Ask("w1", session);
        _mesh.Ask("w2");
        Request(1);
        _mesh.Pass(TimeSpan.FromSeconds(5));

        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w1"));
        _mesh.Submit(2);
        Assert.Empty(_mesh.To(session).OfType<NewTask>());
    }

    [Fact]
    public void Worker_RefusesItsRedirect_IsAtHomeAgain()
    {
        var session = _mesh.Ask("w1");
        _mesh.Ask("w2");
        Request(1);
        _mesh.Ask("w1", session);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Last<NoTask>(session);
        _mesh.Ask("w1", session);

        Assert.Null(_mesh.LoanOf("w1"));
        _mesh.Submit(2);
        _mesh.Last<NewTask>(session);
    }

    [Fact]
    public void LentWorker_PollsItsOwner_EndsTheLoan()
    {
        Lend("w1");
        _mesh.Pass(TimeSpan.FromSeconds(5));
        _mesh.Submit(1);
        _mesh.Last<NewTask>(_mesh.Ask("w1"));
        Assert.Null(_mesh.LoanOf("w1"));
    }

    [Fact]
    public void Release_IsAcknowledgedOnceStored_AndCompletedWhenAllAreHome()
    {
        Lend("w1", "w2");
        _mesh.Pass(TimeSpan.FromSeconds(5));
        _mesh.HoldStore = true;
        var session = Release("w1", "w2");
        Assert.DoesNotContain(_mesh.To(session), message => message is ReleaseAck);
        _mesh.Store();
        Assert.Equal(2, _mesh.Last<ReleaseAck>(session).Workers.Count);

        _mesh.Ask("w1");
        Assert.Empty(_mesh.ToPeer<ReleaseCompleted>(CoreHarness.Peer));
        _mesh.Ask("w2");
        Assert.Equal(["w1", "w2"], Assert.Single(_mesh.ToPeer<ReleaseCompleted>(CoreHarness.Peer)).Workers.Select(w => w.Value));
        Assert.Empty(_mesh.Core.GetStatus().Loans);
    }

    [Fact]
    public void Release_OneWorkerNeverReturns_IsCompletedInTimeWithTheOther()
    {
        Lend("w1", "w2");
        Release("w1", "w2");
        _mesh.Ask("w1");
        _mesh.Pass(TimeSpan.FromSeconds(61));

        Assert.Equal(["w1"], Assert.Single(_mesh.ToPeer<ReleaseCompleted>(CoreHarness.Peer)).Workers.Select(w => w.Value));
        Assert.Empty(_mesh.Core.GetStatus().Loans);
    }

    [Fact]
    public void Release_Repeated_IsAcknowledgedAgainAndChangesNothing()
    {
        Lend("w1");
        Release("w1");
        var ops = _mesh.Stored.Count;
        _mesh.Last<ReleaseAck>(Release("w1"));
        Assert.Equal(ops, _mesh.Stored.Count);

        _mesh.Ask("w1");
        _mesh.Last<ReleaseAck>(Release("w1"));
        Assert.Null(_mesh.LoanOf("w1"));
    }

    [Fact]
    public void Release_EarlierLoan_DoesNotChangeTheCurrentOne()
    {
        Lend("w1");
        Release("w1");
        var home = _mesh.Ask("w1");
        Assert.Null(_mesh.LoanOf("w1"));
        _mesh.Last<Available>(_mesh.Say(new WorkerRequest(new MeshEndpoint("127.0.0.1", 9003))));
        _mesh.Close(home);
        var current = Assert.Single(_mesh.Core.GetStatus().Loans);
        Assert.Equal((new WorkerId("w1"), LoanState.Lent), (current.Worker, current.State));

        _mesh.Last<ReleaseAck>(Release("w1"));

        Assert.Equal(current, Assert.Single(_mesh.Core.GetStatus().Loans));
    }

    [Fact]
    public void Release_PeerWithoutTheWorker_DoesNotChangeTheLoan()
    {
        _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Say(new WorkerRequest(new MeshEndpoint("127.0.0.1", 9003)));
        var lent = _mesh.Core.GetStatus().Loans[0].Worker.Value;
        _mesh.Last<ReleaseAck>(Release(lent));
        Assert.Equal(LoanState.Lent, _mesh.LoanOf(lent));
    }

    [Fact]
    public void Release_UnknownPeer_IsRefusedNamingTheField()
    {
        var session = _mesh.Say(new CommandRelease(new ServerId("nobody"), [new WorkerId("w1")]));
        Assert.StartsWith("SERVER_UUID", _mesh.Last<Rejection>(session).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Offer_WorkerNeverPolls_Expires()
    {
        _mesh.Submit(1);
        _mesh.Ask("busy");
        _mesh.Close(_mesh.Ask("py", framing: Framing.Line, sendsTypes: false));
        Request(1);
        Assert.Equal(LoanState.Offered, _mesh.LoanOf("py"));
        _mesh.Pass(TimeSpan.FromSeconds(32));
        Assert.Null(_mesh.LoanOf("py"));
    }

    [Fact]
    public void Loan_BorrowerStaysDead_Ends()
    {
        _mesh.Alive();
        Lend("w1");
        foreach (var heartbeat in Enumerable.Range(0, 8))
        {
            _mesh.Pass(TimeSpan.FromSeconds(60));
            _mesh.FailPeerRequest(CoreHarness.Peer, new Heartbeat(CoreHarness.Self));
        }

        Assert.Contains(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
        Assert.Contains(_mesh.Events, happened => happened is LoanEnded { Reason: "the borrower is lost" });
    }

    [Fact]
    public void Restart_WithReleasedLoans_CompletesThem()
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var loan = new LoanRecord(new WorkerId("w1"), LoanRole.Owner, CoreHarness.Peer, LoanState.Released, now, now) { Borrower = CoreHarness.PeerEndpoint };
        var mesh = new CoreHarness(stored: new StoredState { Loans = [loan] });
        mesh.Ask("w1");
        Assert.Equal(["w1"], Assert.Single(mesh.ToPeer<ReleaseCompleted>(CoreHarness.Peer)).Workers.Select(w => w.Value));
    }

    [Fact]
    public void Restart_ClockSetBack_RestartsLoanTimeouts()
    {
        var then = new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.Zero);
        var loan = new LoanRecord(new WorkerId("w1"), LoanRole.Owner, CoreHarness.Peer, LoanState.Lent, then, then) { Borrower = CoreHarness.PeerEndpoint };
        var mesh = new CoreHarness(stored: new StoredState { Loans = [loan] });
        mesh.Pass(TimeSpan.FromSeconds(3));
        mesh.Ask("w1");
        Assert.Null(mesh.LoanOf("w1"));
    }

    [Fact]
    public void BorrowedWorker_IsNotLentOn()
    {
        _mesh.Ask("guest", home: "server-b");
        _mesh.Ask("w1");
        _mesh.Last<Unavailable>(_mesh.Say(new WorkerRequest(new MeshEndpoint("127.0.0.1", 9003)) { WorkersNeeded = 2 }));
    }

    private SessionId Request(int needed) =>
        _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { WorkersNeeded = needed, Server = CoreHarness.Peer });

    private SessionId Release(params string[] workers) =>
        _mesh.Say(new CommandRelease(CoreHarness.Peer, [.. workers.Select(w => new WorkerId(w))]));

    private void Lend(params string[] workers)
    {
        _mesh.Submit(1);
        _mesh.Ask("keeper");
        foreach (var worker in workers)
        {
            var session = _mesh.Ask(worker);
            _mesh.Last<Available>(Request(1));
            _mesh.Last<Redirect>(session);
            _mesh.Close(session);
        }
    }

    private static WorkerRequest Elsewhere() => new(new MeshEndpoint("borrower.example.org", 9002)) { WorkersNeeded = 1, Server = CoreHarness.Peer };
}
