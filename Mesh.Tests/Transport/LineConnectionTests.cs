using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class LineConnectionTests() : ConnectionContract(Framing.Line)
{
    [Fact]
    public async Task BadLine_Received_IsAnErrorAndTheNextIsRead()
    {
        var (client, connection) = await AcceptRawAsync("junk\r\n\n{\"TASK\": \"NO_TASK\"}\n");
        using var _ = client;
        Assert.Equal(ProtocolErrorKind.NotJson, (await connection.ReceiveAsync(Stop)).Error.Kind);
        Assert.IsType<NoTask>((await connection.ReceiveAsync(Stop)).Message);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task EndlessLine_Received_IsAnErrorAndTheEnd()
    {
        var (client, connection) = await AcceptRawAsync(new string('x', 70_000));
        using var _ = client;
        Assert.Equal(ProtocolError.TooLong, (await connection.ReceiveAsync(Stop)).Error);
        Assert.Equal(CloseReason.ProtocolError, (await connection.ReceiveAsync(Stop)).EndReason);
        await connection.DisposeAsync();
    }

    [Theory]
    [InlineData("junk\n", 60_000, "message is not JSON")]
    [InlineData("", 500_000, "message is longer than 64 KiB")]
    public async Task Rejection_WithInputUnread_ReachesThePeer(string start, int more, string expected)
    {
        var (client, connection) = await AcceptRawAsync(start + new string('x', more));
        using var _ = client;
        var error = (await connection.ReceiveAsync(Stop)).Error;
        Assert.True(connection.TrySend(new Rejection(error.ToString())));
        var closing = connection.CloseAsync(CloseReason.ProtocolError);
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal($$"""{"STATUS": "NOK", "ERROR": "{{expected}}"}""", await reader.ReadLineAsync(Stop));
        client.Client.Shutdown(SocketShutdown.Send);
        await closing;
        Assert.Null(await reader.ReadLineAsync(Stop));
    }

    [Fact]
    public async Task HalfClosedPeer_StillGetsItsAnswer()
    {
        // The message has no end of line.
        var (client, connection) = await AcceptRawAsync("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\"}");
        using var reader = new StreamReader(client.GetStream());
        client.Client.Shutdown(SocketShutdown.Send);
        Assert.IsType<GetTask>((await connection.ReceiveAsync(Stop)).Message);
        Assert.Equal(CloseReason.PeerClosed, (await connection.ReceiveAsync(Stop)).EndReason);
        Assert.True(connection.TrySend(new NoTask()));
        await connection.CloseAsync(CloseReason.Done);
        Assert.Equal("""{"TASK": "NO_TASK"}""", await reader.ReadLineAsync(Stop));
    }

    [Fact]
    public async Task Peer_Resets_IsDistinguishedFromClose()
    {
        var (client, connection) = await AcceptRawAsync("");
        using var _ = client;
        client.Client.LingerState = new LingerOption(enable: true, seconds: 0);

        // Disposing the client would end its side of the connection in an orderly way first.
        client.Client.Dispose();
        Assert.Equal(CloseReason.Reset, (await connection.ReceiveAsync(Stop)).EndReason);
        Assert.Equal(CloseReason.Reset, await connection.Closed.OrFailAsync("the connection to be closed"));
        Assert.True(connection.IsReset);
    }

    [Fact]
    public async Task Peer_ClosesWithUnreadMessages_CountsAsReset()
    {
        var (client, connection) = await AcceptRawAsync("");
        using var _ = client;
        Assert.True(connection.TrySend(new NoTask()));
        await HangGuard.UntilAsync("the message to arrive", () => Task.FromResult(client.Available > 0));

        client.Client.Dispose();
        Assert.Equal(CloseReason.Reset, (await connection.ReceiveAsync(Stop)).EndReason);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task PartOfALine_BeforeTheEnd_IsNoError()
    {
        var (client, connection) = await AcceptRawAsync("{\"WORKER\": ");
        client.Dispose();
        Assert.Equal(ReceiveResultKind.End, (await connection.ReceiveAsync(Stop)).Kind);
        await connection.DisposeAsync();
    }

    private async Task<(TcpClient Client, MeshConnection Connection)> AcceptRawAsync(string text)
    {
        var client = new TcpClient();
        await client.ConnectAsync(Server.LineEndpoint.Host, Server.LineEndpoint.Port, Stop);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), Stop);
        return (client, await Server.AcceptAsync());
    }
}
