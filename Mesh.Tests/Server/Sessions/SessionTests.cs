using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Sessions;

public sealed class SessionTests
{
    private const string Heartbeat = """{"SERVER_UUID":"server-b","TASK":"HEARTBEAT"}""";

    private static readonly (string, string)[] WithPeer = [("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1")];

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("\r\n")]
    public async Task LinePeer_OnTheHttpPort_IsAnswered(string before)
    {
        await using var server = await TestServer.StartAsync(WithPeer);
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(before + Heartbeat + "\n");

        Assert.StartsWith("""{"SERVER_UUID": "server-a", "TASK": "HEARTBEAT", "RESPONSE": "ALIVE""", await socket.HearLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LinePeer_MessageInPieces_IsAnswered()
    {
        await using var server = await TestServer.StartAsync(WithPeer);
        using var socket = await server.ConnectAsync();

        foreach (var letter in Heartbeat)
        {
            await socket.SayAsync(letter.ToString());
        }

        await socket.SayAsync("\n");

        Assert.StartsWith("{\"SERVER_UUID\": \"server-a\", \"TASK\": \"HEARTBEAT\", \"RESPONSE\": \"ALIVE", await socket.HearLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task LinePeer_HalfCloses_IsStillAnswered(string end)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:LineHoldTime", "00:00:00.3"));
        using var socket = await server.ConnectAsync();

        await socket.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + end);
        socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("""{"TASK": "NO_TASK"}""", await socket.HearLineAsync());
        Assert.Null(await socket.HearLineAsync());
    }

    [Fact]
    public async Task LinePeer_BadInput_GetsErrorAndIsClosed()
    {
        await using var server = await TestServer.StartAsync();
        using var socket = await server.ConnectAsync();

        await socket.SayAsync("""{"WORKER":17}""" + "\n");

        Assert.Equal("""{"STATUS": "NOK", "ERROR": "WORKER must be a string"}""", await socket.HearLineAsync());
        Assert.Null(await socket.HearLineAsync());
    }

    [Theory]
    [InlineData("""{"TASK":"NO_TASK"}""", "TASK")]
    [InlineData("""{"type":"HEARTBEAT","request_id":"1","payload":{}}""", "message")]
    [InlineData("""{"TASK":"PING"}""", "TASK")]
    [InlineData("""{"STATUS":"OK","WORKER_UUID":"w1"}""", "TASK")]
    public async Task LinePeer_UnknownOrRefusedMessage_GetsErrorAndNextIsRead(string unknown, string field)
    {
        await using var server = await TestServer.StartAsync(WithPeer);
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(unknown + "\n" + Heartbeat + "\n");

        string?[] heard = [await socket.HearLineAsync(), await socket.HearLineAsync()];
        Assert.Single(heard, line => line!.StartsWith($$"""{"STATUS": "NOK", "ERROR": "{{field}}""", StringComparison.Ordinal));
        Assert.Single(heard, line => line!.Contains("ALIVE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LinePeer_ManyUnknownMessages_IsClosedAtTheLimit()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxErrors", "2"));
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(string.Concat(Enumerable.Repeat("{}\n", 3)));

        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("NOK", await socket.HearLineAsync(), StringComparison.Ordinal);
        }

        Assert.Null(await socket.HearLineAsync());
    }

    [Theory]
    [InlineData("", "IdleTimeout")]
    [InlineData("   ", "IdleTimeout")]
    [InlineData("""{"SERVER_UUID":""", "MessageTimeout")]
    public async Task LinePeer_IncompleteLine_IsDroppedAfterItsTimeout(string text, string timeout)
    {
        // The other timeout is too long to be reached.
        (string, string)[] timeouts = [("Mesh:Sessions:IdleTimeout", "00:30:00"), ("Mesh:Sessions:MessageTimeout", "00:30:00"), ($"Mesh:Sessions:{timeout}", "00:00:20")];
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, timeouts);
        using var socket = await server.ConnectAsync();
        await socket.SayAsync(text);
        var heard = socket.HearLineAsync();

        Assert.InRange(await server.SecondsUntilAsync(time, heard, most: 40), 20, 40);
        Assert.Null(await heard);
    }

    [Fact]
    public async Task WebSocketPeer_BadInput_ContinuesUpToTheLimit()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxErrors", "2"));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/any/path"), TestContext.Current.CancellationToken);

        Assert.Contains("NOK", await AskAsync(socket, "{}"), StringComparison.Ordinal);
        Assert.Contains("NOK", await AskAsync(socket, "x"), StringComparison.Ordinal);
        Assert.Contains("ALIVE", await AskAsync(socket, Heartbeat), StringComparison.Ordinal);
        Assert.Contains("NOK", await AskAsync(socket, "[]"), StringComparison.Ordinal);

        var end = await socket.ReceiveAsync(new byte[10], TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketMessageType.Close, end.MessageType);
    }

    [Fact]
    public async Task IdleWorker_NewTask_GetsItWhileItsRequestIsHeld()
    {
        await using var server = await TestServer.StartAsync();
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));

        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        Assert.Equal("maria", (await worker.ReceiveAsync<NewTask>()).User);
    }

    [Fact]
    public async Task Connections_OneTooMany_IsRefused()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Sessions:MaxConnections", "1"));
        await using var first = await server.DialAsync(Framing.WebSocket);
        first.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await first.ReceiveAsync<NewTask>();

        await using var second = await server.DialAsync(Framing.WebSocket);

        Assert.Contains("Mesh__Sessions__MaxConnections", (await second.ReceiveAsync<Rejection>()).Error, StringComparison.Ordinal);
        Assert.Equal(CloseReason.PeerClosed, await second.EndAsync());
    }

    [Fact]
    public async Task Stop_WorkerConnected_ClosesItGracefully()
    {
        await using var server = await TestServer.StartAsync();
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        var task = await worker.ReceiveAsync<NewTask>();

        // Running tasks may end.
        var stopping = server.StopAsync();
        worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Result = RawJson.Of(1) });
        await worker.ReceiveAsync<Ack>();
        Assert.Equal(CloseReason.PeerClosed, await worker.EndAsync());
        await stopping;

        Assert.Equal(1, (await server.Store.LoadAsync(new ServerId("server-a"), TestContext.Current.CancellationToken)).Done);
    }

    private static async Task<string> AskAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        var buffer = new byte[1024];
        var part = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, part.Count);
    }
}
