using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server;

/// <summary>Workers that hang up, over real sockets: what they were given goes on at once, and was no attempt.</summary>
public sealed class LostDeliveryTests
{
    private const string Poll = """{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    private const string Query = """{"type":"QUERY","user":"maria"}""";

    [Fact]
    public async Task LineWorker_ThatAskedAndHungUp_TaskGoesToAnotherAtOnce()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        await HangUpAsync(server, Poll);
        await using var other = await server.DialAsync(Framing.WebSocket);
        other.TrySend(new GetTask(new WorkerId("w2")));

        var id = await server.SubmitAsync(Query);
        var heard = other.ReceiveAsync<NewTask>();
        await AdvanceUntilAsync(time, heard);

        Assert.Equal(id, (await heard).Id!.Value.Value);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task LineWorker_ThatReset_TaskGoesToAnotherAtOnce()
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
    public async Task LineWorker_ThatOnlyEndedItsSide_GetsItsTaskAndKeepsIt(bool queuedBefore)
    {
        await using var server = await TestServer.StartAsync();
        var id = queuedBefore ? await server.SubmitAsync(Query) : null;
        using var half = await server.ConnectAsync();
        await half.SayAsync(Poll);
        half.Shutdown(SocketShutdown.Send);
        id ??= await server.SubmitAsync(Query);

        Assert.StartsWith("""{"TASK": "QUERY", "USER": "maria""", await half.HearLineAsync(), StringComparison.Ordinal);

        // The server's end says that it has stopped looking for a reset.
        Assert.Null(await half.HearLineAsync());
        var task = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal(("running", 1), (task.GetProperty("state").GetString(), task.GetProperty("attempts").GetInt32()));
    }

    [Fact]
    public async Task LineWorker_ThatReadItsTaskAndClosed_KeepsIt()
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
    public async Task LineWorker_BackUnderItsId_GetsTheTaskThatItsLostPollWasGiven()
    {
        const string poll = """{"WORKER":"ALIVE","WORKER_UUID":"w1","TASKS":["QUERY"]}""" + "\n";
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time);
        await HangUpAsync(server, poll);
        using var back = await server.ConnectAsync();
        await back.SayAsync(poll);

        var id = await server.SubmitAsync(Query);
        var heard = back.HearLineAsync();
        await AdvanceUntilAsync(time, heard);

        Assert.Contains(id, await heard, StringComparison.Ordinal);
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task WebSocketWorker_ThatResetBeforeReading_TaskGoesToAnotherAtOnce()
    {
        // The grace would hold the task for longer than this test waits.
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

    /// <summary>A worker asks and closes its connection; the server has its request.</summary>
    private static async Task HangUpAsync(TestServer server, string poll)
    {
        using var gone = await server.ConnectAsync();
        await gone.SayAsync(poll);
        while ((await server.GetJsonAsync("/status")).GetProperty("workers").GetArrayLength() == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Lets the server look for the reset, which takes real time to arrive. Well before any request has been held for long enough.</summary>
    private static async Task AdvanceUntilAsync(FakeTimeProvider time, Task heard)
    {
        for (var passed = TimeSpan.Zero; !heard.IsCompleted && passed < TimeSpan.FromSeconds(1); passed += Step)
        {
            time.Advance(Step);
            await Task.Delay(Step, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A WebSocket without a library, so that it reads only what it wants to.</summary>
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
        // Masked with zeros, which is allowed and changes nothing (RFC 6455, 5.3).
        var bytes = Encoding.UTF8.GetBytes(text);
        return [0x81, (byte)(0x80 | bytes.Length), 0, 0, 0, 0, .. bytes];
    }
}
