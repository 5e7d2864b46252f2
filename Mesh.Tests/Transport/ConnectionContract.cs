using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

/// <summary>The tests that each kind of connection passes, from the dialling and from the accepting side.</summary>
public abstract class ConnectionContract : IAsyncLifetime
{
    private readonly Framing _framing;
    private LoopbackServer? _server;

    private protected ConnectionContract(Framing framing) => _framing = framing;

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected LoopbackServer Server => _server!;

    public async ValueTask InitializeAsync() => _server = await LoopbackServer.StartAsync(Options);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Server.DisposeAsync();
    }

    private static MeshConnectionOptions Options => new() { OutboxCapacity = 64, CloseTimeout = TimeSpan.FromMilliseconds(500) };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_SentBothWays_ArriveInOrder(bool fromServer)
    {
        await using var pair = await ConnectAsync(fromServer);
        for (var batch = 0; batch < 50; batch++)
        {
            var sent = Enumerable.Range(0, 60).Select(i => new Ack { Id = new($"{batch}-{i}-\u00e3\n") }).ToArray();
            Assert.All(sent, message => Assert.True(pair.Near.TrySend(message)));
            foreach (var message in sent)
            {
                Assert.Equal(message, (await pair.Far.ReceiveAsync(Stop)).Message);
            }

            pair.Far.TrySend(new NoTask());
            Assert.IsType<NoTask>((await pair.Near.ReceiveAsync(Stop)).Message);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_WithMessagesQueued_SendsThemFirst(bool fromServer)
    {
        await using var pair = await ConnectAsync(fromServer);
        for (var i = 0; i < 40; i++)
        {
            Assert.True(pair.Near.TrySend(new Ack { Id = new($"{i}") }));
        }

        var closing = pair.Near.CloseAsync(CloseReason.Stopping);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal($"{i}", ((Ack)(await pair.Far.ReceiveAsync(Stop)).Message!).Id!.Value.Value);
        }

        var end = await pair.Far.ReceiveAsync(Stop);
        Assert.Equal((ReceiveResultKind.End, CloseReason.PeerClosed), (end.Kind, end.EndReason));
        await pair.Far.CloseAsync(CloseReason.Done);
        await closing;
        Assert.Equal(CloseReason.Stopping, await pair.Near.Closed.OrFailAsync("the near end to be closed"));
        Assert.Equal(CloseReason.PeerClosed, await pair.Far.Closed.OrFailAsync("the far end to be closed"));
        Assert.False(pair.Near.TrySend(new NoTask()));
        Assert.False(pair.Far.TrySend(new NoTask()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Receive_WhenClosed_Ends(bool fromServer)
    {
        await using var pair = await ConnectAsync(fromServer);
        var pending = pair.Near.ReceiveAsync(Stop);
        var closing = pair.Near.CloseAsync(CloseReason.Replaced);
        Assert.Equal(ReceiveResultKind.End, (await pair.Far.ReceiveAsync(Stop)).Kind);
        await pair.Far.CloseAsync(CloseReason.Done);
        await closing;
        Assert.Equal(CloseReason.Replaced, (await pending).EndReason);
        Assert.Equal(CloseReason.Replaced, (await pair.Near.ReceiveAsync(Stop)).EndReason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Receive_WhenAborted_Ends(bool fromServer)
    {
        await using var pair = await ConnectAsync(fromServer);
        var pending = pair.Near.ReceiveAsync(Stop);
        pair.Near.Abort(CloseReason.Silent);
        pair.Near.Abort(CloseReason.Done);
        Assert.Equal(CloseReason.Silent, (await pending).EndReason);
        Assert.Equal(CloseReason.Silent, await pair.Near.Closed.OrFailAsync("the near end to be closed"));
        Assert.Equal(ReceiveResultKind.End, (await pair.Far.ReceiveAsync(Stop)).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Outbox_WhenThePeerDoesNotRead_FillsAndRefuses(bool fromServer)
    {
        await using var pair = await ConnectAsync(fromServer);

        Assert.InRange(Fill(pair.Near), Options.OutboxCapacity, 10_000);
        Assert.False(pair.Near.Closed.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_WhenThePeerDoesNotRead_AbortsAfterTheCloseTimeout(bool fromServer)
    {
        var time = new TimerTrackingTimeProvider();
        var options = new MeshConnectionOptions { OutboxCapacity = 64, CloseTimeout = TimeSpan.FromSeconds(7), TimeProvider = time };
        await using var server = await LoopbackServer.StartAsync(options);
        await using var pair = await ConnectAsync(server, options, fromServer);
        Fill(pair.Near);

        var waiting = time.NextTimerAsync(options.CloseTimeout);
        var closing = pair.Near.CloseAsync(CloseReason.Stopping).AsTask();
        await waiting;
        Assert.False(closing.IsCompleted);
        time.Advance(options.CloseTimeout);

        await closing.OrFailAsync("the connection to be aborted");
        Assert.Equal(CloseReason.Stopping, await pair.Near.Closed);
    }

    [Fact]
    public async Task Receive_Cancelled_Throws()
    {
        await using var pair = await ConnectAsync(fromServer: false);
        using var cancel = new CancellationTokenSource();
        var pending = pair.Near.ReceiveAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    [Fact]
    public async Task Receive_WhileReceiving_Throws()
    {
        await using var pair = await ConnectAsync(fromServer: true);
        var pending = pair.Near.ReceiveAsync(Stop);
        await Assert.ThrowsAsync<InvalidOperationException>(() => pair.Near.ReceiveAsync(Stop).AsTask());
        pair.Far.TrySend(new NoTask());
        Assert.IsType<NoTask>((await pending).Message);
    }

    /// <summary>Sends until the connection takes no more; returns how many messages it took.</summary>
    private static int Fill(MeshConnection connection)
    {
        var (big, taken) = (new Rejection(new string('x', 60_000)), 0);
        while (connection.TrySend(big))
        {
            Assert.True(++taken <= 10_000, "The outbox has no limit.");
        }

        return taken;
    }

    private protected Task<Pair> ConnectAsync(bool fromServer) => ConnectAsync(Server, Options, fromServer);

    private async Task<Pair> ConnectAsync(LoopbackServer server, MeshConnectionOptions options, bool fromServer)
    {
        var dialer = new MeshDialer(new() { Connection = options });
        var dialled = await dialer.DialAsync(server.ToMeshEndpoint(_framing), _framing, Stop);
        var accepted = await server.AcceptAsync();
        Assert.Equal(_framing, dialled.Framing);
        Assert.Equal(_framing, accepted.Framing);
        return fromServer ? new(accepted, dialled) : new(dialled, accepted);
    }

    private protected sealed record Pair(MeshConnection Near, MeshConnection Far) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Near.Abort(CloseReason.Done);
            Far.Abort(CloseReason.Done);
            await Near.Closed.OrFailAsync("the near end to be closed");
            await Far.Closed.OrFailAsync("the far end to be closed");
        }
    }
}
