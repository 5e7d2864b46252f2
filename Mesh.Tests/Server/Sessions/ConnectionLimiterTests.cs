using System.Net;
using System.Net.Sockets;
using Mesh.Protocol;
using Mesh.Server.Listening;
using Mesh.Tests.Fixtures;
using Mesh.Transport;

namespace Mesh.Tests.Server.Sessions;

/// <summary>Floods of connections from real sockets. They come from a second loopback address.</summary>
public sealed class ConnectionLimiterTests
{
    private const string Heartbeat = """{"SERVER_UUID":"server-b","TASK":"HEARTBEAT"}""";
    private const string Get = "GET /alive HTTP/1.1\r\nHost: server\r\n\r\n";

    private static readonly IPAddress Flooder = IPAddress.Parse("127.0.0.2");

    [Fact]
    public async Task Connections_TooManyFromOneAddress_AreRejectedNamingTheOption()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxConnectionsPerAddress", "8"));
        var flood = new List<Socket>();
        try
        {
            for (var i = 0; i < 8; i++)
            {
                flood.Add(await ConnectAsync(server, Flooder));
            }

            // The server has accepted a connection when it has answered on it.
            foreach (var socket in flood)
            {
                await socket.SayAsync(Heartbeat + "\n");
                Assert.Contains("ALIVE", await socket.HearLineAsync(), StringComparison.Ordinal);
            }

            using var line = await ConnectAsync(server, Flooder);
            await line.SayAsync(Heartbeat + "\n");
            Assert.Equal(
                """{"STATUS": "NOK", "ERROR": "There are 8 connections already (Mesh__Sessions__MaxConnectionsPerAddress)"}""", await line.HearLineAsync());
            Assert.Null(await line.HearLineAsync());

            using var http = await ConnectAsync(server, Flooder);
            await http.SayAsync(Get);
            Assert.Equal("HTTP/1.1 503 Service Unavailable\r", await http.HearLineAsync());

            using var other = await ConnectAsync(server, IPAddress.Loopback);
            await other.SayAsync(Heartbeat + "\n");
            Assert.Contains("ALIVE", await other.HearLineAsync(), StringComparison.Ordinal);
        }
        finally
        {
            flood.ForEach(socket => socket.Dispose());
        }

        await ServedAgainAsync(server);
    }

    [Fact]
    public async Task Worker_ConnectionRefused_GetsTheServerIsFullError()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxConnectionsPerAddress", "1"));
        await server.DisconnectHttpAsync();
        await using var first = await server.DialAsync(Framing.WebSocket);

        var refused = await Assert.ThrowsAsync<MeshDialException>(() => server.DialAsync(Framing.WebSocket));

        // The failure is not that of a peer without WebSocket support.
        Assert.Equal(MeshDialFailure.Unreachable, refused.Failure);
        Assert.Contains("503", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ConnectionCounts_AllConnectionsClosed_ReturnToZero()
    {
        var counts = new ConnectionCounter(most: 3, mostPerAddress: 2);
        var (one, two) = (IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"));

        var entered = new List<ConnectionAdmission> { Enter(one, ConnectionOutcome.Admitted), Enter(IPAddress.Parse("::ffff:10.0.0.1"), ConnectionOutcome.Admitted) };
        Enter(one, ConnectionOutcome.TooManyFromAddress).Dispose();
        entered.Add(Enter(two, ConnectionOutcome.Admitted));
        Enter(null, ConnectionOutcome.TooMany).Dispose();
        entered[0].Dispose();
        entered[0] = Enter(null, ConnectionOutcome.Admitted);
        Assert.Equal(3, counts.All);
        entered.ForEach(entry => entry.Dispose());
        Assert.Equal(0, counts.All);
        Enter(one, ConnectionOutcome.Admitted).Dispose();

        ConnectionAdmission Enter(IPAddress? address, ConnectionOutcome expected)
        {
            var entry = counts.Enter(address);
            Assert.Equal(expected, entry.Outcome);
            return entry;
        }
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    public void Key_AddressesOfOneIPv6Network_AreEqual(string a, string b, bool same) =>
        Assert.Equal(same, ConnectionCounter.KeyOf(IPAddress.Parse(a)).Equals(ConnectionCounter.KeyOf(IPAddress.Parse(b))));

    private static async Task<Socket> ConnectAsync(TestServer server, IPAddress from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, TestContext.Current.CancellationToken);
        return socket;
    }

    // A closed connection counts until the server has seen its end.
    private static Task ServedAgainAsync(TestServer server) => HangGuard.UntilAsync("the address to be served again", async () =>
    {
        using var socket = await ConnectAsync(server, Flooder);
        await socket.SayAsync(Heartbeat + "\n");
        return (await socket.HearLineAsync())?.Contains("ALIVE", StringComparison.Ordinal) == true;
    });
}
