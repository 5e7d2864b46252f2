using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class MeshDialerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Framing.Line)]
    [InlineData(Framing.WebSocket)]
    public async Task Dial_NoListener_IsUnreachable(Framing framing) =>
        Assert.Equal(MeshDialFailure.Unreachable, await FailureAsync(RawPeer.Nobody(), framing));

    [Fact]
    public async Task Dial_UnknownName_IsUnreachable() =>
        Assert.Equal(MeshDialFailure.Unreachable, await FailureAsync(new("no-such-host.invalid", 1), Framing.Line));

    [Theory]
    [InlineData("{\"STATUS\": \"NOK\", \"ERROR\": \"not JSON\"}\n")]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n")]
    public async Task Dial_PeerAnswersSomethingElse_IsNotWebSocket(string answer)
    {
        await using var peer = RawPeer.Answering(answer);
        Assert.Equal(MeshDialFailure.NotWebSocket, await FailureAsync(peer.Endpoint, Framing.WebSocket));
    }

    [Fact]
    public async Task Dial_PeerNeverAnswers_IsNotWebSocket()
    {
        await using var peer = RawPeer.Silent();
        var time = new TimerTrackingTimeProvider();
        var options = new MeshDialerOptions { HandshakeTimeout = TimeSpan.FromSeconds(7), Connection = new() { TimeProvider = time } };

        // The timer is created when the TCP connection is established.
        var waiting = time.NextTimerAsync(options.HandshakeTimeout);
        var failure = FailureAsync(peer.Endpoint, Framing.WebSocket, options);
        await waiting;
        Assert.False(failure.IsCompleted);
        time.Advance(options.HandshakeTimeout);

        Assert.Equal(MeshDialFailure.NotWebSocket, await failure.OrFailAsync("the end of the handshake"));
    }

    [Theory]
    [InlineData(401, MeshDialFailure.Refused)]
    [InlineData(403, MeshDialFailure.Refused)]
    [InlineData(429, MeshDialFailure.Unreachable)]
    [InlineData(503, MeshDialFailure.Unreachable)]
    [InlineData(404, MeshDialFailure.NotWebSocket)]
    public async Task Dial_HttpStatus_DecidesTheFailure(int status, MeshDialFailure failure)
    {
        await using var server = await LoopbackServer.StartAsync();
        server.Decide = _ => status;
        Assert.Equal(failure, await FailureAsync(server.WebSocketEndpoint, Framing.WebSocket));
    }

    [Fact]
    public async Task Dial_WithToken_SendsItAsBearer()
    {
        await using var server = await LoopbackServer.StartAsync();
        server.Decide = request => request.Headers.Authorization == "Bearer s3cret" ? 101 : 401;
        var dialer = new MeshDialer(new() { Token = () => "s3cret" });
        await using var connection = await dialer.DialAsync(server.WebSocketEndpoint, Framing.WebSocket, Stop);
        Assert.Equal(server.WebSocketEndpoint.ToString(), connection.RemoteAddress);
        (await server.AcceptAsync()).Abort(CloseReason.Done);
    }

    [Fact]
    public async Task Dial_Cancelled_Throws()
    {
        await using var peer = RawPeer.Silent();
        using var cancel = new CancellationTokenSource();
        var dialling = new MeshDialer(new()).DialAsync(peer.Endpoint, Framing.WebSocket, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialling);
    }

    private static async Task<MeshDialFailure> FailureAsync(MeshEndpoint endpoint, Framing framing, MeshDialerOptions? options = null)
    {
        var dialling = new MeshDialer(options ?? new()).DialAsync(endpoint, framing, Stop);
        return (await Assert.ThrowsAsync<MeshDialException>(() => dialling)).Failure;
    }
}
