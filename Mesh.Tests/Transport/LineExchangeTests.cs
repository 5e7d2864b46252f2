using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class LineExchangeTests
{
    private static readonly LineExchange Exchange = new(new MeshDialer(new()), TimeProvider.System);
    private static readonly Heartbeat Question = new(new("s"));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ask_PeerAnswers_GivesTheAnswer()
    {
        await using var peer = RawPeer.Answering("{\"SERVER_UUID\":\"p\",\"TASK\":\"HEARTBEAT\",\"RESPONSE\":\"ALIVE\"}\n");
        Assert.Equal(new HeartbeatResponse(new("p")), (await AskAsync(peer.Endpoint)).Message);
    }

    [Fact]
    public async Task Ask_PeerAnswersWithoutALinesEnd_GivesTheAnswer()
    {
        await using var peer = RawPeer.Answering("{\"TASK\": \"NO_TASK\"}");
        Assert.Equal(new NoTask(), (await AskAsync(peer.Endpoint)).Message);
    }

    [Fact]
    public async Task Ask_PeerAnswersJunk_GivesTheError()
    {
        await using var peer = RawPeer.Answering("junk\n");
        Assert.Equal(ProtocolErrorKind.NotJson, (await AskAsync(peer.Endpoint)).Error.Kind);
    }

    [Fact]
    public async Task Ask_PeerCloses_Ends()
    {
        await using var peer = RawPeer.Answering("");
        Assert.Equal(CloseReason.PeerClosed, (await AskAsync(peer.Endpoint)).EndReason);
    }

    [Fact]
    public async Task Ask_PeerKeepsSilent_EndsInTime()
    {
        await using var peer = RawPeer.Silent();
        var received = await Exchange.AskAsync(peer.Endpoint, Question, TimeSpan.FromMilliseconds(50), Stop);
        Assert.Equal(CloseReason.Timeout, received.EndReason);
    }

    [Fact]
    public async Task Ask_NobodyThere_IsUnreachable() => Assert.Equal(CloseReason.Unreachable, (await AskAsync(RawPeer.Nobody())).EndReason);

    [Fact]
    public async Task Ask_Cancelled_Throws()
    {
        await using var peer = RawPeer.Silent();
        using var cancel = new CancellationTokenSource();
        var asking = Exchange.AskAsync(peer.Endpoint, Question, LineExchange.DefaultTimeout, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task Tell_PeerTakesIt_IsTrue()
    {
        var line = new TaskCompletionSource<string?>();
        await using var peer = new RawPeer(async (reader, _, stop) => line.SetResult(await reader.ReadLineAsync(stop)));
        Assert.True(await Exchange.TellAsync(peer.Endpoint, new ReleaseCompleted(new("s"), [new("w")]), LineExchange.DefaultTimeout, Stop));
        Assert.Equal("""{"SERVER_UUID": "s", "RESPONSE": "RELEASE_COMPLETED", "WORKERS_UUID": ["w"]}""", await line.Task.WaitAsync(TimeSpan.FromSeconds(10), Stop));
    }

    [Fact]
    public async Task Tell_NobodyThere_IsFalse() => Assert.False(await Exchange.TellAsync(RawPeer.Nobody(), Question, LineExchange.DefaultTimeout, Stop));

    private static Task<Received> AskAsync(MeshEndpoint endpoint) => Exchange.AskAsync(endpoint, Question, LineExchange.DefaultTimeout, Stop);
}
