using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Mesh.Tests.Worker;

/// <summary>
/// A server that a test scripts, written from docs/protocol.md without our codec. It serves WebSocket and lines on one loopback port, or lines only.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<Incoming> _incoming = Channel.CreateUnbounded<Incoming>();
    private readonly bool _linesOnly;
    private readonly List<Socket> _clients = [];
    private readonly List<Task> _serving = [];
    private readonly Lock _lock = new();
    private TcpListener _listener;
    private Task _accepting;

    private FakeServer(bool linesOnly)
    {
        _linesOnly = linesOnly;
        _listener = new(IPAddress.Loopback, 0);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(_listener);
    }

    public int Port { get; }

    public string Endpoint => $"127.0.0.1:{Port}";

    public static FakeServer Start(bool linesOnly = false) => new(linesOnly);

    /// <summary>Waits for the next message of any connection.</summary>
    public async Task<Incoming> NextAsync(string awaited)
    {
        try
        {
            return await _incoming.Reader.ReadAsync().AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited {Patience} for {awaited} at {Endpoint}");
        }
    }

    public async Task<Incoming> NextAskAsync()
    {
        var message = await NextAsync("a get_task");
        Assert.Equal("ALIVE", message.Field("WORKER"));
        return message;
    }

    public async Task<Incoming> NextStatusAsync()
    {
        var message = await NextAsync("a task_status");
        Assert.NotNull(message.Field("STATUS"));
        return message;
    }

    /// <summary>Closes all connections. New ones are accepted.</summary>
    public void DropConnections()
    {
        lock (_lock)
        {
            _clients.ForEach(client => client.Close(0));
            _clients.Clear();
        }
    }

    /// <summary>Stops listening, and closes all connections.</summary>
    public async Task StopAsync()
    {
        _listener.Stop();
        await _accepting;
        DropConnections();
    }

    public void Restart()
    {
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Task.WhenAll(_serving);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                lock (_lock)
                {
                    _clients.Add(client);
                    _serving.Add(ServeAsync(client));
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using (client)
            {
                await using var stream = new NetworkStream(client);
                var first = new byte[1];
                await client.ReceiveAsync(first, SocketFlags.Peek);
                if (first[0] == '{')
                {
                    await ServeLinesAsync(stream);
                }
                else if (!_linesOnly)
                {
                    await ServeWebSocketAsync(stream);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException or WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The peer or the test has closed the connection.
        }
    }

    private async Task ServeLinesAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync() is { } line)
        {
            Take(line, reply => stream.WriteAsync(Encoding.UTF8.GetBytes(reply + "\n")).AsTask());
        }
    }

    private async Task ServeWebSocketAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        var key = "";
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            const string name = "Sec-WebSocket-Key:";
            key = line.StartsWith(name, StringComparison.OrdinalIgnoreCase) ? line[name.Length..].Trim() : key;
        }

#pragma warning disable CA5350 // RFC 6455 wants it.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"));
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
        using var sending = new SemaphoreSlim(1);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                return;
            }

            Assert.True(received.EndOfMessage);
            Take(Encoding.UTF8.GetString(buffer.AsSpan(0, received.Count)), async reply =>
            {
                await sending.WaitAsync();
                await socket.SendAsync(Encoding.UTF8.GetBytes(reply), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                sending.Release();
            });
        }
    }

    private void Take(string text, Func<string, Task> reply) => Assert.True(_incoming.Writer.TryWrite(new(JsonDocument.Parse(text).RootElement, reply)));

    /// <summary>A message, and the function that answers its sender.</summary>
    internal sealed record Incoming(JsonElement Json, Func<string, Task> ReplyAsync)
    {
        public string? Field(string name) => Json.TryGetProperty(name, out var value) ? value.ToString() : null;

        public Task AckAsync() => ReplyAsync("""{"STATUS":"ACK"}""");

        public Task NoTaskAsync() => ReplyAsync("""{"TASK":"NO_TASK"}""");

        public Task QueryAsync(string id, string user = "maria") => ReplyAsync($$"""{"TASK":"QUERY","USER":"{{user}}","TASK_ID":"{{id}}"}""");

        public Task UpdateAsync(string id, string amount, string user = "maria") =>
            ReplyAsync($$"""{"TASK":"UPDATE","USER":"{{user}}","AMOUNT":{{amount}},"TASK_ID":"{{id}}"}""");

        public Task RedirectAsync(FakeServer target, string more = "") =>
            ReplyAsync($$$"""{"TASK":"REDIRECT","SERVER_REDIRECT":{"ip":"127.0.0.1","port":{{{target.Port}}}}{{{more}}}}""");

        public Task ReturnAsync(FakeServer target) =>
            ReplyAsync($$$"""{"TASK":"RETURN","SERVER_RETURN":{"ip":"127.0.0.1","port":{{{target.Port}}}}}""");
    }
}
