using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Tests.Core.Peers;

public sealed class PeerHeartbeatMonitorTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Start_WithPeers_SendsAHeartbeatToEachAtOnce() => Assert.Equal(2, _mesh.ToPeers.Count(send => send.Message is Heartbeat));

    [Fact]
    public void Heartbeat_OfAPeer_IsAnsweredWithTheLoad()
    {
        _mesh.Submit(3);
        var session = _mesh.Say(new Heartbeat(CoreHarness.Peer));
        var response = _mesh.Last<HeartbeatResponse>(session);
        Assert.Equal((CoreHarness.Self, new ServerLoad(3, 0)), (response.Server, response.Load));
    }

    [Fact]
    public void AnsweredHeartbeat_IsRepeatedAfterTheInterval()
    {
        _mesh.Alive();
        Assert.Contains(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: true });
        _mesh.Pass(TimeSpan.FromSeconds(14.9));
        Assert.Single(Heartbeats());
        _mesh.Pass(TimeSpan.FromSeconds(0.2));
        Assert.Equal(2, Heartbeats().Count());
    }

    [Fact]
    public void Peer_RetriesFail_IsDead()
    {
        _mesh.Alive();
        _mesh.Pass(TimeSpan.FromSeconds(15));
        var waits = new[] { 5, 10, 20 };
        foreach (var wait in waits)
        {
            _mesh.FailPeerRequest(CoreHarness.Peer, Heartbeats().Last());
            Assert.DoesNotContain(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
            var before = Heartbeats().Count();
            _mesh.Pass(TimeSpan.FromSeconds(wait - 0.1));
            Assert.Equal(before, Heartbeats().Count());
            _mesh.Say(new Heartbeat(CoreHarness.Peer));
            _mesh.Pass(TimeSpan.FromSeconds(0.2));
            Assert.Equal(before + 1, Heartbeats().Count());
        }

        _mesh.FailPeerRequest(CoreHarness.Peer, Heartbeats().Last());
        Assert.Single(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
    }

    [Fact]
    public void Peer_NoMessageForTheTimeout_IsDead()
    {
        _mesh.Alive();
        _mesh.Pass(TimeSpan.FromSeconds(39));
        Assert.DoesNotContain(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Single(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
    }

    [Fact]
    public void DeadPeer_SendsMessage_IsProbedImmediately()
    {
        _mesh.FailPeerRequest(CoreHarness.Peer, Heartbeats().Last());
        var before = Heartbeats().Count();
        _mesh.Say(new Heartbeat(CoreHarness.Peer));
        Assert.Equal(before + 1, Heartbeats().Count());
        _mesh.Alive();
        Assert.True(_mesh.Core.GetStatus().Peers.Single(peer => peer.Id == CoreHarness.Peer).Alive);
    }

    private IEnumerable<Heartbeat> Heartbeats() => _mesh.ToPeer<Heartbeat>(CoreHarness.Peer);
}
