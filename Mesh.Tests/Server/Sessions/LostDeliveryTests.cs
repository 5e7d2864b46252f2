using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Sessions;

/// <summary>Workers that end their connections, over real sockets. A task that was sent on such a connection goes to another worker, and the lost delivery is not counted as an attempt.</summary>
public sealed class LostDeliveryTests
{
    private const string Poll = """{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n";

    private const string Query = """{"type":"QUERY","user":"maria"}""";

    private static readonly TimeSpan[] Checks = [.. new[] { 5, 15, 30, 50, 150, 250, 500 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds))];

    [Fact]
    public async Task LineWorker_ClosesAfterPoll_TaskGoesToAnotherAtOnce()
    {
        var time = new TimerTrackingTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        await HangUpAsync(server, Poll);
        await using var other = await server.DialAsync(Framing.WebSocket);
        other.TrySend(new GetTask(new WorkerId("w2")));

        var checks = ChecksOf(time);
        var id = await server.SubmitAsync(Query);
        var heard = other.ReceiveAsync<NewTask>();
        await CheckAsync(time, checks, heard);

        Assert.Equal(id, (await heard).Id!.Value.Value);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task LineWorker_Resets_TaskGoesToAnotherAtOnce()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync(Query);
        using (var gone = await server.ConnectAsync())
        {
            gone.LingerState = new LingerOption(enable: true, seconds: 0);
            await gone.SayAsync(Poll);
            await server.TaskAsync(id, "running");
        }

        await using var other = await server.DialAsync(Framing.WebSocket);
        other.TrySend(new GetTask(new WorkerId("w2")));

        Assert.Equal(id, (await other.ReceiveAsync<NewTask>()).Id!.Value.Value);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LineWorker_HalfCloses_GetsItsTaskAndKeepsIt(bool queuedBefore)
    {
        await using var server = await TestServer.StartAsync();
        var id = queuedBefore ? await server.SubmitAsync(Query) : null;
        using var half = await server.ConnectAsync();
        await half.SayAsync(Poll);
        half.Shutdown(SocketShutdown.Send);
        id ??= await server.SubmitAsync(Query);

        Assert.StartsWith("""{"TASK": "QUERY", "USER": "maria""", await half.HearLineAsync(), StringComparison.Ordinal);

        // The server ends the connection when it has stopped checking for a reset.
        Assert.Null(await half.HearLineAsync());
        var task = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal(("running", 1), (task.GetProperty("state").GetString(), task.GetProperty("attempts").GetInt32()));
    }

    [Fact]
    public async Task LineWorker_ClosesAfterReadingItsTask_KeepsIt()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync(Query);
        using (var worker = await server.ConnectAsync())
        {
            await worker.SayAsync(Poll);
            Assert.NotNull(await worker.HearLineAsync());
        }

        await server.DisconnectHttpAsync();
        Assert.Equal("running", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
        using var report = await server.ConnectAsync();
        await report.SayAsync("""{"STATUS":"OK","TASK":"QUERY","WORKER_UUID":"w1"}""" + "\n");
        Assert.Contains("ACK", await report.HearLineAsync(), StringComparison.Ordinal);
        await server.TaskAsync(id, "done");
    }

    [Fact]
    public async Task LineWorker_ReconnectsWithItsId_GetsTheTaskOfItsLostPoll()
    {
        const string poll = """{"WORKER":"ALIVE","WORKER_UUID":"w1","TASKS":["QUERY"]}""" + "\n";
        var time = new TimerTrackingTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        await HangUpAsync(server, poll);
        using var back = await server.ConnectAsync();
        await back.SayAsync(poll);

        var checks = ChecksOf(time);
        var id = await server.SubmitAsync(Query);
        var heard = back.HearLineAsync();
        await CheckAsync(time, checks, heard);

        Assert.Contains(id, await heard, StringComparison.Ordinal);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task WebSocketWorker_ResetsBeforeReading_TaskGoesToAnotherAtOnce()
    {
        // The task would stay with the worker for the grace time, which is longer than this test waits.
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:WorkerGrace", "00:01:00"));
        var id = await server.SubmitAsync(Query);
        using (var socket = await UpgradeAsync(server))
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            await socket.SendAsync(TextFrame(Poll.TrimEnd()), TestContext.Current.CancellationToken);
            await server.TaskAsync(id, "running");
        }

        await using var other = await server.DialAsync(Framing.WebSocket);
        other.TrySend(new GetTask(new WorkerId("w2")));

        Assert.Equal(id, (await other.ReceiveAsync<NewTask>()).Id!.Value.Value);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    /// <summary>A worker requests a task and closes its connection. Returns when the server has received the request.</summary>
    private static async Task HangUpAsync(TestServer server, string poll)
    {
        using var gone = await server.ConnectAsync();
        await gone.SayAsync(poll);
        await HangGuard.UntilAsync("the worker's request", async () => (await server.GetJsonAsync("/status")).GetProperty("workers").GetArrayLength() > 0);
    }

    private static Task[] ChecksOf(TimerTrackingTimeProvider time) => [.. Checks.Select(time.NextTimerAsync)];

    /// <summary>
    /// Lets the time of the server's checks for a reset pass, once the server waits for it. A reset takes a moment of real time to arrive. The checks take one second in all,
    /// less than a request is held.
    /// </summary>
    private static async Task CheckAsync(TimerTrackingTimeProvider time, Task[] checks, Task heard)
    {
        for (var i = 0; i < Checks.Length && await Task.WhenAny(heard, checks[i]) != heard; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            time.Advance(Checks[i]);
        }

        await heard.OrFailAsync("the task to go to the other connection");
    }

    /// <summary>Opens a WebSocket without a library, so that the test decides what it reads.</summary>
    private static async Task<Socket> UpgradeAsync(TestServer server)
    {
        var socket = await server.ConnectAsync();
        await socket.SayAsync(
            "GET /mesh HTTP/1.1\r\nHost: mesh\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        while (await socket.HearLineAsync() is { Length: > 1 })
        {
        }

        return socket;
    }

    private static byte[] TextFrame(string text)
    {
        // The mask is zero, which is allowed and leaves the text as it is (RFC 6455, 5.3).
        var bytes = Encoding.UTF8.GetBytes(text);
        return [0x81, (byte)(0x80 | bytes.Length), 0, 0, 0, 0, .. bytes];
    }
}
