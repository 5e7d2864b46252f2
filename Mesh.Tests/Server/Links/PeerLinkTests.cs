using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Bench.Chaos;
using Mesh.Protocol;
using Mesh.Server.Loop;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Links;

public sealed class PeerLinkTests
{
    [Fact]
    public async Task TwoServers_HeartbeatOverWebSocket_BothAlive()
    {
        var (a, b) = await TwoPeersAsync(("Mesh:Token", "s3cret"));
        await using (a)
        await using (b)
        {
            foreach (var (server, peer) in new[] { (a, "server-b"), (b, "server-a") })
            {
                server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");
                await AliveAsync(server);
                Assert.Equal(Framing.WebSocket, await server.Services.GetRequiredService<CoreInputQueue>().QueryAsync(core => core.FramingOf(new ServerId(peer))));
            }
        }
    }

    [Fact]
    public async Task Peer_NameInServiceDiscovery_IsFound()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await using var a = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "http://server-b"), ("services:server-b:http:0", b.Address.ToString()));

        await AliveAsync(a);
    }

    [Fact]
    public async Task LinePeer_RefusesWebSocket_IsContactedByLines()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var peer = AnswerInLinesAsync(listener);
        await using var a = await TestServer.StartAsync(("Mesh:Peers:0:Id", "SERVER_2"), ("Mesh:Peers:0:Endpoint", listener.LocalEndpoint.ToString()!));

        await AliveAsync(a);
        await peer;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Peer_FirstWebSocketTimesOut_IsDialledByWebSocketAgain(bool answersLines)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var a = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "SERVER_2"), ("Mesh:Peers:0:Endpoint", listener.LocalEndpoint.ToString()!), ("Mesh:Timing:HeartbeatRetryDelay", "00:00:00.010"));

        // This is a server that stalls, and then refuses lines because it has a token.
        using (var first = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            Assert.StartsWith("GET ", await first.HearLineAsync(), StringComparison.Ordinal);
        }

        using (var second = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            Assert.StartsWith("{", await second.HearLineAsync(), StringComparison.Ordinal);
            if (answersLines)
            {
                await second.SayAsync("""{"STATUS": "NOK", "ERROR": "no lines here"}""" + "\n");
            }
        }

        using var third = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("GET ", await third.HearLineAsync(), StringComparison.Ordinal);
    }

    /// <summary>Starts server-a and server-b, each with the other as its peer.</summary>
    /// <param name="settings">The further configuration of both.</param>
    internal static Task<(TestServer A, TestServer B)> TwoPeersAsync(params (string Key, string Value)[] settings) => TwoPeersAsync(settings, settings);

    /// <inheritdoc cref="TwoPeersAsync(ValueTuple{string, string}[])"/>
    internal static async Task<(TestServer A, TestServer B)> TwoPeersAsync((string Key, string Value)[] settingsOfA, (string Key, string Value)[] settingsOfB, string scheme = "http")
    {
        var (portA, portB) = (PortAllocator.Next(), PortAllocator.Next());
        var b = await TestServer.StartAsync([.. settingsOfB, .. Settings("server-b", portB, "server-a", portA)]);
        return (await TestServer.StartAsync([.. settingsOfA, .. Settings("server-a", portA, "server-b", portB)]), b);

        (string, string)[] Settings(string id, int port, string peer, int peerPort) =>
        [
            ("Mesh:ServerId", id),
            ("Kestrel:Endpoints:mesh:Url", $"{scheme}://127.0.0.1:{port}"),
            ("Mesh:Peers:0:Id", peer),
            ("Mesh:Peers:0:Endpoint", $"{scheme}://127.0.0.1:{peerPort}"),
        ];
    }

    internal static Task AliveAsync(TestServer server) => HangGuard.UntilAsync("the peer to be alive", () => IsPeerAliveAsync(server));

    internal static async Task<bool> IsPeerAliveAsync(TestServer server) =>
        (await server.GetJsonAsync("/status")).GetProperty("peers")[0].GetProperty("alive").GetBoolean();

    // As the first implementations do: they read one line, answer one line and close the connection, and close it at once when the line is not JSON.
    private static async Task AnswerInLinesAsync(TcpListener listener)
    {
        while (true)
        {
            using var socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
            var line = await socket.HearLineAsync();
            if (line?.StartsWith('{') == true)
            {
                Assert.Equal("server-a", JsonDocument.Parse(line).RootElement.GetProperty("SERVER_UUID").GetString());
                await socket.SayAsync("""{"SERVER_UUID": "SERVER_2", "TASK": "HEARTBEAT", "RESPONSE": "ALIVE"}""" + "\n");
                return;
            }
        }
    }
}
