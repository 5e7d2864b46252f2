using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Sessions;
using Mesh.Tests.Server;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Security;

/// <summary>Peers that take too little, say too little at a time, or say too much.</summary>
public sealed class SlowPeerTests
{
    private const string Heartbeat = """{"SERVER_UUID":"server-b","TASK":"HEARTBEAT"}""";

    /// <summary>Less than the host's own, after which it stops whatever still runs.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Reader_ThatTakesNothing_IsCutOnceItsQueueIsFull_AndOthersAreServed()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:OutboxCapacity", "16"));
        await using var witness = await server.DialAsync(Framing.WebSocket);
        using var slow = await server.ConnectAsync();
        slow.ReceiveBufferSize = 4096;
        var many = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Heartbeat + "\n", 200)));

        // It asks on and on and never reads an answer: the sockets' buffers fill, then the queue, then it is cut.
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
    public async Task WebSocket_ThatDoesNotEndItsMessage_IsCut()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/mesh"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(Heartbeat), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        await socket.ReceiveAsync(new byte[1024], TestContext.Current.CancellationToken);

        // A second's worth, a byte at a time.
        var ended = socket.ReceiveAsync(new byte[1], CancellationToken.None);
        while (!ended.IsCompleted)
        {
            await TrySendAsync(socket);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await Assert.ThrowsAsync<WebSocketException>(() => ended);
    }

    [Fact]
    public async Task WebSocket_ThatEndsEachMessageInTime_Stays()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        await using var peer = await server.DialAsync(Framing.WebSocket);
        for (var i = 0; i < 30; i++)
        {
            peer.TrySend(new Heartbeat(new ServerId("server-b")));
            await peer.ReceiveAsync<HeartbeatResponse>();
            time.Advance(TimeSpan.FromSeconds(8));
        }
    }

    [Fact]
    public async Task Message_LongerThanTheOption_IsRefusedByTheOptionsName()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxMessageBytes", "16384"));
        using var socket = await server.ConnectAsync();

        await socket.SayAsync($$"""{"SERVER_UUID":"{{new string('x', 20_000)}}"}""" + "\n");

        Assert.Equal("""{"STATUS": "NOK", "ERROR": "message is longer than 16384 bytes (Mesh__Sessions__MaxMessageBytes)"}""", await socket.HearLineAsync());
    }

    [Fact]
    public async Task Peer_ExceedsReceiveRate_IsThrottled()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        await using var peer = await server.DialAsync(Framing.WebSocket);
        for (var i = 0; i < 12; i++)
        {
            Assert.True(peer.TrySend(new Heartbeat(new ServerId("server-b"))));
        }

        for (var i = 0; i < 5; i++)
        {
            await peer.ReceiveAsync<HeartbeatResponse>();
        }

        var sixth = peer.ReceiveAsync<HeartbeatResponse>();
        Assert.False(sixth.IsCompleted);
        while (!sixth.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await sixth;
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Worker_FasterThanTheLimit_IsNotSlowedForTheTasksItIsGiven(Framing framing)
    {
        // A pause would last for ever: this time stands still.
        await using var server = await TestServer.StartAsync(new(), new FakeTimeProvider(), ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        await using var worker = await server.DialAsync(framing);
        await server.PostAsync("/tasks", $"[{string.Join(',', Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", 20))}]");

        worker.TrySend(new GetTask(new WorkerId("w1")));
        for (var i = 0; i < 20; i++)
        {
            var task = await worker.ReceiveAsync<NewTask>();
            worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Result = 1 });
            await worker.ReceiveAsync<Ack>();
            worker.TrySend(new GetTask(new WorkerId("w1")));
        }
    }

    [Fact]
    public async Task Worker_DroppedSinceItDoesNotEndItsMessage_GivesItsTaskBackAtOnce()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:Tasks:LeaseTime", "01:00:00"), ("Mesh:Sessions:IdleTimeout", "00:30:00"));
        using var slow = await server.ConnectAsync();
        await slow.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n");
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        Assert.NotNull(await slow.HearLineAsync());
        await slow.SayAsync("""{"STATUS":""");

        // A request in between, so that the server reads what was said before the time is over.
        var ended = slow.HearLineAsync();
        while (!ended.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await server.GetAsync("/alive");
        }

        Assert.Null(await ended);
        await server.TaskAsync(id, "queued");
        Assert.Equal(0, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Peer_ThatIsSlowed_DoesNotHoldAServerThatStops()
    {
        // The pause lasts for as long as this time stands still.
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
            // It is cut, as awaited.
        }
    }
}
