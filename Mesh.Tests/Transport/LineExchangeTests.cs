using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Transport;

public sealed class LineExchangeTests
{
    private static readonly LineExchange Exchange = new(new MeshDialer(new()), TimeProvider.System);
    private static readonly Heartbeat Question = new(new("s"));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_PeerAnswers_ReturnsTheAnswer()
    {
        await using var peer = RawPeer.Answering("{\"SERVER_UUID\":\"p\",\"TASK\":\"HEARTBEAT\",\"RESPONSE\":\"ALIVE\"}\n");
        Assert.Equal(new HeartbeatResponse(new("p")), (await RequestAsync(peer.Endpoint)).Message);
    }

    [Fact]
    public async Task Request_AnswerWithoutLineEnd_ReturnsTheAnswer()
    {
        await using var peer = RawPeer.Answering("{\"TASK\": \"NO_TASK\"}");
        Assert.Equal(new NoTask(), (await RequestAsync(peer.Endpoint)).Message);
    }

    [Fact]
    public async Task Request_InvalidAnswer_ReturnsTheError()
    {
        await using var peer = RawPeer.Answering("junk\n");
        Assert.Equal(ProtocolErrorKind.NotJson, (await RequestAsync(peer.Endpoint)).Error.Kind);
    }

    [Fact]
    public async Task Request_PeerCloses_ReturnsEnd()
    {
        await using var peer = RawPeer.Answering("");
        Assert.Equal(CloseReason.PeerClosed, (await RequestAsync(peer.Endpoint)).EndReason);
    }

    [Fact]
    public async Task Request_PeerDoesNotAnswer_TimesOut()
    {
        var heard = new TaskCompletionSource();
        await using var peer = new RawPeer(async (reader, _, stop) =>
        {
            await reader.ReadLineAsync(stop);
            heard.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var time = new FakeTimeProvider();
        var asking = new LineExchange(new MeshDialer(new()), time).RequestAsync(peer.Endpoint, Question, LineExchange.DefaultTimeout, Stop);
        await heard.Task.OrFailAsync("the question to arrive");
        Assert.False(asking.IsCompleted);

        time.Advance(LineExchange.DefaultTimeout);

        Assert.Equal(CloseReason.Timeout, (await asking.OrFailAsync("the end of the exchange")).EndReason);
    }

    [Fact]
    public async Task Request_PeerUnreachable_IsUnreachable() => Assert.Equal(CloseReason.Unreachable, (await RequestAsync(RawPeer.Nobody())).EndReason);

    [Fact]
    public async Task Request_Cancelled_Throws()
    {
        await using var peer = RawPeer.Silent();
        using var cancel = new CancellationTokenSource();
        var asking = Exchange.RequestAsync(peer.Endpoint, Question, LineExchange.DefaultTimeout, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task SendOneWay_PeerAccepts_IsTrue()
    {
        var line = new TaskCompletionSource<string?>();
        await using var peer = new RawPeer(async (reader, _, stop) => line.SetResult(await reader.ReadLineAsync(stop)));
        Assert.True(await Exchange.SendOneWayAsync(peer.Endpoint, new ReleaseCompleted(new("s"), [new("w")]), LineExchange.DefaultTimeout, Stop));
        Assert.Equal("""{"SERVER_UUID": "s", "RESPONSE": "RELEASE_COMPLETED", "WORKERS_UUID": ["w"]}""", await line.Task.OrFailAsync("the message to arrive"));
    }

    [Fact]
    public async Task SendOneWay_PeerUnreachable_IsFalse() => Assert.False(await Exchange.SendOneWayAsync(RawPeer.Nobody(), Question, LineExchange.DefaultTimeout, Stop));

    private static Task<Received> RequestAsync(MeshEndpoint endpoint) => Exchange.RequestAsync(endpoint, Question, LineExchange.DefaultTimeout, Stop);
}
