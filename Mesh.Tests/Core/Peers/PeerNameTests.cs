using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Peers;

/// <summary>Peers that use another id than the configured one.</summary>
public sealed class PeerNameTests
{
    private static readonly ServerId Anew = new("6f1c0f6e-anew");

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Peer_ChangedId_IsMatchedByAddressAndReportedOnce()
    {
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(Anew));
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(Anew));

        Assert.Contains(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: true, Peer: var peer } && peer == CoreHarness.Peer);
        Assert.Equal(new PeerRenamed(CoreHarness.Peer, CoreHarness.PeerEndpoint, Anew), Assert.Single(_mesh.Events.OfType<PeerRenamed>()));
    }

    [Fact]
    public void Release_PeerUnderItsNewName_IsApplied()
    {
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(Anew));
        foreach (var worker in new[] { "w1", "w2" })
        {
            _mesh.Ask(worker);
        }

        var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint));
        var lent = _mesh.Last<Available>(session).Workers[0];
        Assert.Equal(LoanState.Lent, _mesh.LoanOf(lent.Value));

        _mesh.Last<ReleaseAck>(_mesh.Say(new CommandRelease(Anew, [lent])));

        Assert.Equal(LoanState.Released, _mesh.LoanOf(lent.Value));
    }

    [Fact]
    public void BorrowedWorker_OwnerChangedId_BelongsToThePeer()
    {
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(Anew));
        _mesh.Submit(1);
        _mesh.Last<NewTask>(_mesh.Ask("g1", home: Anew.Value));
        Assert.Equal(CoreHarness.Peer, Assert.Single(_mesh.Core.GetStatus().Workers).Home);
    }

    [Fact]
    public void UnknownServer_Request_IsReportedOnceAndTriggersHeartbeat()
    {
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(Anew));
        _mesh.Pass(TimeSpan.FromSeconds(2));
        var asked = _mesh.ToPeer<Heartbeat>(CoreHarness.Peer).Count();

        var again = new ServerId("again-anew");
        _mesh.Last<HeartbeatResponse>(_mesh.Say(new Heartbeat(again)));
        _mesh.Say(new Heartbeat(again));

        Assert.Equal(again, Assert.Single(_mesh.Events.OfType<UnknownServerDetected>()).Server);
        Assert.Equal(asked + 1, _mesh.ToPeer<Heartbeat>(CoreHarness.Peer).Count());

        // Its answer shows that it is the same peer. From now on its releases are accepted.
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(again));
        _mesh.Last<ReleaseAck>(_mesh.Say(new CommandRelease(again, [new WorkerId("w1")])));
    }

    [Theory]
    [InlineData("server-a")]
    [InlineData("SERVER_3")]
    public void Reply_NamesAnotherServer_IsIgnored(string other)
    {
        _mesh.Reply(CoreHarness.Peer, new HeartbeatResponse(new ServerId(other)));

        Assert.DoesNotContain(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: true });
        Assert.StartsWith("SERVER_UUID", Assert.Single(_mesh.Events.OfType<MessageRejected>()).Error, StringComparison.Ordinal);

        // The heartbeat is retried, as after any failure.
        var before = _mesh.ToPeer<Heartbeat>(CoreHarness.Peer).Count();
        _mesh.Pass(TimeSpan.FromSeconds(6));
        Assert.Equal(before + 1, _mesh.ToPeer<Heartbeat>(CoreHarness.Peer).Count());
    }

    [Fact]
    public void Available_NamesAnotherServer_OpensNoLoan()
    {
        _mesh.Alive();
        _mesh.Submit(40);
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.NotEmpty(_mesh.ToPeer<WorkerRequest>(CoreHarness.Peer));

        _mesh.Reply(CoreHarness.Peer, new Available(new ServerId("SERVER_3"), [new WorkerId("w9")]));

        Assert.Empty(_mesh.Core.GetStatus().Loans);
    }
}
