using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Sessions;
using Mesh.Tests.Fixtures;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Sessions;

/// <summary>Peers that read too slowly, do not complete their messages, or send too many messages.</summary>
public sealed class SlowPeerTests
{
    private const string Heartbeat = """{"SERVER_UUID":"server-b","TASK":"HEARTBEAT"}""";

    /// <summary>Less than the host's own shutdown timeout, after which it ends what still runs.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Peer_ReadsNothing_IsClosedWhenItsQueueIsFullAndOthersAreServed()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:OutboxCapacity", "16"));
        await using var witness = await server.DialAsync(Framing.WebSocket);
        using var slow = await server.ConnectAsync();
        slow.ReceiveBufferSize = 4096;
        var many = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Heartbeat + "\n", 200)));

        // It sends requests and never reads an answer: the sockets' buffers fill, then the outbox, then the server closes the connection.
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
            {
                await slow.SendAsync(many, TestContext.Current.CancellationToken);
                witness.TrySend(new Heartbeat(new ServerId("server-b")));
                await witness.ReceiveAsync<HeartbeatResponse>();
            }
        });

        witness.TrySend(new Heartbeat(new ServerId("server-b")));
        await witness.ReceiveAsync<HeartbeatResponse>();
    }

    [Fact]
    public async Task WebSocket_MessageNotCompleted_IsClosed()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/mesh"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(Heartbeat), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        await socket.ReceiveAsync(new byte[1024], TestContext.Current.CancellationToken);

        // It sends one byte a second.
        var ended = socket.ReceiveAsync(new byte[1], CancellationToken.None);
        Assert.InRange(await server.SecondsUntilAsync(time, ended, most: 20, () => TrySendAsync(socket)), 10, 20);
        await Assert.ThrowsAsync<WebSocketException>(() => ended);
    }

    [Fact]
    public async Task WebSocket_MessagesCompletedInTime_StaysOpen()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/mesh"), TestContext.Current.CancellationToken);
        var (first, second) = (Encoding.UTF8.GetBytes(Heartbeat[..10]), Encoding.UTF8.GetBytes(Heartbeat[10..]));
        var answer = new byte[1024];
        for (var i = 0; i < 30; i++)
        {
            await socket.SendAsync(first, WebSocketMessageType.Text, endOfMessage: false, TestContext.Current.CancellationToken);
            await server.GetAsync("/alive");
            time.Advance(TimeSpan.FromSeconds(8));
            await socket.SendAsync(second, WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
            var length = (await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken)).Count;
            Assert.Contains("ALIVE", Encoding.UTF8.GetString(answer, 0, length), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Message_LongerThanTheLimit_IsRefusedNamingTheSetting()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxMessageBytes", "16384"));
        using var socket = await server.ConnectAsync();

        await socket.SayAsync($$"""{"SERVER_UUID":"{{new string('x', 20_000)}}"}""" + "\n");

        Assert.Equal("""{"STATUS": "NOK", "ERROR": "message is longer than 16384 bytes (Mesh__Sessions__MaxMessageBytes)"}""", await socket.HearLineAsync());
    }

    [Fact]
    public async Task Peer_SendsTooManyMessages_IsReadAtTheLimit()
    {
        var time = new TimerTrackingTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        await using var peer = await server.DialAsync(Framing.WebSocket);
        await using var witness = await server.DialAsync(Framing.WebSocket);
        await AnsweredAsync(peer);

        // A part of the first second passes, so that the rest of it is a delay that no other timer has.
        var (rest, second) = (TimeSpan.FromMilliseconds(730), TimeSpan.FromSeconds(1));
        time.Advance(second - rest);
        var paused = time.NextTimerAsync(rest);
        for (var i = 0; i < 10; i++)
        {
            Assert.True(peer.TrySend(new Heartbeat(new ServerId("server-b"))));
        }

        for (var i = 0; i < 4; i++)
        {
            await peer.ReceiveAsync<HeartbeatResponse>();
        }

        await paused;
        var sixth = peer.ReceiveAsync<HeartbeatResponse>();
        time.Advance(rest - TimeSpan.FromMilliseconds(1));
        await AnsweredAsync(witness);
        Assert.False(sixth.IsCompleted);

        paused = time.NextTimerAsync(second);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await sixth;
        for (var i = 0; i < 4; i++)
        {
            await peer.ReceiveAsync<HeartbeatResponse>();
        }

        await paused;
        var eleventh = peer.ReceiveAsync<HeartbeatResponse>();
        await AnsweredAsync(witness);
        Assert.False(eleventh.IsCompleted);
        time.Advance(second);
        await eleventh;

        static async Task AnsweredAsync(MeshConnection connection)
        {
            connection.TrySend(new Heartbeat(new ServerId("server-b")));
            await connection.ReceiveAsync<HeartbeatResponse>();
        }
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Worker_FasterThanTheLimit_IsNotSlowedForItsTasks(Framing framing)
    {
        // The fake time is not advanced, so a pause would not end.
        await using var server = await TestServer.StartAsync(new(), new FakeTimeProvider(), ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        await using var worker = await server.DialAsync(framing);
        await server.PostAsync("/tasks", $"[{string.Join(',', Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", 20))}]");

        worker.TrySend(new GetTask(new WorkerId("w1")));
        for (var i = 0; i < 20; i++)
        {
            var task = await worker.ReceiveAsync<NewTask>();
            worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Result = RawJson.Of(1) });
            await worker.ReceiveAsync<Ack>();
            worker.TrySend(new GetTask(new WorkerId("w1")));
        }
    }

    [Fact]
    public async Task Worker_ClosedForIncompleteMessage_LosesItsTaskAtOnce()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:Tasks:LeaseTime", "01:00:00"), ("Mesh:Sessions:IdleTimeout", "00:30:00"));
        using var slow = await server.ConnectAsync();
        await slow.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n");
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        Assert.NotNull(await slow.HearLineAsync());
        await slow.SayAsync("""{"STATUS":""");

        var ended = slow.HearLineAsync();
        Assert.InRange(await server.SecondsUntilAsync(time, ended, most: 20), 10, 20);
        Assert.Null(await ended);
        await server.TaskAsync(id, "queued");
        Assert.Equal(0, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Stop_PeerSlowed_IsNotDelayed()
    {
        // The fake time is not advanced, so the pause does not end.
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        await using var peer = await server.DialAsync(Framing.Line);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(peer.TrySend(new Heartbeat(new ServerId("server-b"))));
        }

        for (var i = 0; i < 5; i++)
        {
            await peer.ReceiveAsync<HeartbeatResponse>();
        }

        await server.StopAsync().WaitAsync(StopLimit, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void ReceiveRate_WithinLimit_IsNotDelayed()
    {
        var time = new FakeTimeProvider();
        var pace = new ReceiveRateLimiter(3, time);

        Assert.Equal([0, 0, 1000], Take());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([0, 0, 1000], Take());
        time.Advance(TimeSpan.FromSeconds(1.6));
        Assert.Equal([0, 0, 400], Take());
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([0, 0, 0], Take());

        double[] Take() => [pace.GetDelay().TotalMilliseconds, pace.GetDelay().TotalMilliseconds, pace.GetDelay().TotalMilliseconds];
    }

    private static async Task TrySendAsync(ClientWebSocket socket)
    {
        try
        {
            await socket.SendAsync("{"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: false, TestContext.Current.CancellationToken);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The server has closed the connection, as the test expects.
        }
    }
}
