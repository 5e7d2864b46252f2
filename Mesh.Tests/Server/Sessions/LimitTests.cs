using System.Text;
using Mesh.Protocol;
using Mesh.Tests.Integration;
using Mesh.Tests.Server.Telemetry;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Sessions;

/// <summary>docs/security.md, "Limits": a connection that meets a limit is counted under the name of the setting.</summary>
public sealed class LimitTests
{
    private const string WholeLine = "{\"SERVER_UUID\":\"server-c\",\"TASK\":\"HEARTBEAT\"}\n";

    [Theory]
    [InlineData("Mesh__Sessions__MaxConnections", "1", WholeLine, "mesh.connections.refused")]
    [InlineData("Mesh__Sessions__MaxConnectionsPerAddress", "1", WholeLine, "mesh.connections.refused")]
    [InlineData("Mesh__Sessions__IdleTimeout", "00:00:10", "", "mesh.connections.dropped")]
    [InlineData("Mesh__Sessions__MessageTimeout", "00:00:10", "{\"SERVER_UUID\":", "mesh.connections.dropped")]
    public async Task Connection_LimitReached_IsCountedBySetting(string setting, string value, string said, string metric)
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(
            new(), time, (setting.Replace("__", ":", StringComparison.Ordinal), value), ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"));
        await server.DisconnectHttpAsync();
        using var metrics = new RecordedMetrics(server);
        await using var first = await server.DialAsync(Framing.Line);
        first.TrySend(new Heartbeat(new ServerId("server-b")));
        await first.ReceiveAsync<HeartbeatResponse>();
        using var second = await server.ConnectAsync();

        await second.SayAsync(said);

        await Eventually.HoldsAsync(
            $"{setting} is counted",
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return metrics.Sum(metric, ("mesh.limit", setting)) >= 1;
            },
            TimeSpan.FromSeconds(20),
            () => string.Join('\n', metrics.All));
    }

    [Fact]
    public async Task Peer_SendsTooMuch_IsCountedAsSlowedWithoutTag()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxMessagesPerSecond", "1"));
        using var metrics = new RecordedMetrics(server);
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(new StringBuilder().Insert(0, WholeLine, 5).ToString());

        await Eventually.HoldsAsync("a pause is counted", () => metrics.Sum("mesh.connections.slowed") >= 1, TimeSpan.FromSeconds(20));
        Assert.All(metrics.All, one => Assert.False(one.Name == "mesh.connections.slowed" && one.Tags.Count > 0));
    }

    [Fact]
    public async Task Connections_OpenedAndClosed_AreCounted()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"));
        await server.DisconnectHttpAsync();
        using var metrics = new RecordedMetrics(server);
        await using var line = await server.DialAsync(Framing.Line);
        line.TrySend(new Heartbeat(new ServerId("server-b")));
        await line.ReceiveAsync<HeartbeatResponse>();
        await using var webSocket = await server.DialAsync(Framing.WebSocket);
        Assert.Equal(2, metrics.Sum("mesh.connections"));

        await line.CloseAsync(CloseReason.Stopping);
        await webSocket.CloseAsync(CloseReason.Stopping);

        await Eventually.HoldsAsync("no connection is open", () => metrics.Sum("mesh.connections") == 0, TimeSpan.FromSeconds(20));
    }
}
