using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Mesh.Tests.Server;

public sealed class PeerLinkTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task TwoServers_HeartbeatOverWebSocket_BothAlive()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"), ("Mesh:Token", "s3cret"));
        await using var a = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", b.Endpoint.ToString()), ("Mesh:Token", "s3cret"));
        a.Http.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");

        await AliveAsync(a);
    }

    [Fact]
    public async Task PeerByName_InServiceDiscovery_IsFound()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await using var a = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "http://server-b"), ("services:server-b:http:0", b.Address.ToString()));

        await AliveAsync(a);
    }

    [Fact]
    public async Task LinePeer_DoesNotTakeAWebSocket_IsSpokenToInLines()
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
    public async Task Peer_ThatHeldUpItsFirstWebSocket_IsAskedForOneAgain(bool answersLines)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var a = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "SERVER_2"), ("Mesh:Peers:0:Endpoint", listener.LocalEndpoint.ToString()!), ("Mesh:Timing:HeartbeatRetryDelay", "00:00:00.010"));

        // Like a server that stalls, and then refuses lines since it has a token.
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

    internal static async Task AliveAsync(TestServer server)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!(await server.GetJsonAsync("/status")).GetProperty("peers")[0].GetProperty("alive").GetBoolean())
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the peer to be alive.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    // As the first implementations do it: one line in, one line out, closed; what is no JSON is closed at once.
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
