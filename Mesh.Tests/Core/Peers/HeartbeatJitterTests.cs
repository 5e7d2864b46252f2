using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Tests.Core.Peers;

/// <summary>docs/operations.md, "A server's settings": Mesh__Timing__HeartbeatJitter.</summary>
public sealed class HeartbeatJitterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void Heartbeats_LivePeer_FollowTheIntervalWithinTheJitter(double jitter)
    {
        var mesh = new CoreHarness(settings => settings with { Timing = settings.Timing with { HeartbeatJitter = jitter } });
        var interval = new ServerSettings { Id = CoreHarness.Self, Advertise = CoreHarness.SelfEndpoint, Peers = [] }.Timing.HeartbeatInterval;
        var waits = new HashSet<double>();
        for (var heartbeat = 1; heartbeat < 30; heartbeat++)
        {
            mesh.Alive();
            var (since, before) = (mesh.Now, Sent(mesh));
            while (Sent(mesh) == before)
            {
                mesh.Pass(TimeSpan.FromMilliseconds(100));
            }

            waits.Add(Math.Round((mesh.Now - since) / interval, 3));
        }

        Assert.All(waits, wait => Assert.InRange(wait, 1 - jitter - 0.01, 1 + jitter + 0.01));
        Assert.InRange(waits.Count, jitter == 0 ? 1 : 10, jitter == 0 ? 1 : 30);
    }

    private static int Sent(CoreHarness mesh) => mesh.ToPeer<Heartbeat>(CoreHarness.Peer).Count();
}
