using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Tests.Interop;

/// <summary>
/// A server of another implementation with one thread, for lines only. It ignores input that is not JSON. It knows its workers by
/// their get_tasks, lends the first one at each request, and answers a worker's next poll with its order.
/// </summary>
internal sealed class LineServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accept;
    private int _done;

    public LineServer(string id, int port)
    {
        (Id, Port) = (id, port);
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accept = AcceptAsync();
    }

    public string Id { get; }

    public int Port { get; }

    /// <summary>The received objects, in order.</summary>
    public ConcurrentQueue<JsonNode> Heard { get; } = new();

    /// <summary>Workers that can be lent, alive or not: those that have polled here as their home, and those that a test adds.</summary>
    public ConcurrentQueue<string> Lendable { get; } = new();

    /// <summary>The workers that have polled here, with the home that they have sent.</summary>
    public ConcurrentDictionary<string, string?> Workers { get; } = new();

    /// <summary>The next order of each worker, as a whole message.</summary>
    public ConcurrentDictionary<string, JsonNode> Orders { get; } = new();

    /// <summary>The users of the QUERY tasks that are sent next.</summary>
    public ConcurrentQueue<string> Tasks { get; } = new();

    public int Done => Volatile.Read(ref _done);

    public IEnumerable<JsonNode> HeardTask(string task) => Heard.Where(message => (string?)message["TASK"] == task);

    public Task<JsonNode?> AskAsync(int port, JsonNode message) => LinePeer.AskAsync("127.0.0.1", port, message, _stop.Token);

    public Task<JsonNode?> RequestWorkerAsync(int port) => AskAsync(
        port, new JsonObject { ["TASK"] = "WORKER_REQUEST", ["REQUESTOR_INFO"] = new JsonObject { ["ip"] = "127.0.0.1", ["port"] = Port } });

    public Task<JsonNode?> ReleaseAsync(int port, string worker) => AskAsync(
        port, new JsonObject { ["SERVER_UUID"] = Id, ["TASK"] = "COMMAND_RELEASE", ["WORKERS_UUID"] = new JsonArray(worker) });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accept.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _connections.Add(ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream);
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                if (Parse(line) is not { } message)
                {
                    continue;
                }

                Heard.Enqueue(message);
                if (Answer(message) is { } reply)
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(reply.ToJsonString() + "\n"), _stop.Token);
                }
            }
        }
    }

    private static JsonNode? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private JsonObject? Answer(JsonNode message)
    {
        if ((string?)message["WORKER"] == "ALIVE")
        {
            return AnswerWorker((string)message["WORKER_UUID"]!, (string?)message["SERVER_UUID"]);
        }

        if (message["STATUS"] is not null)
        {
            Interlocked.Increment(ref _done);
            return new JsonObject { ["STATUS"] = "ACK" };
        }

        return (string?)message["TASK"] switch
        {
            "HEARTBEAT" => new JsonObject { ["SERVER_UUID"] = Id, ["TASK"] = "HEARTBEAT", ["RESPONSE"] = "ALIVE" },
            "WORKER_REQUEST" => Lend(message["REQUESTOR_INFO"]!),
            "COMMAND_RELEASE" => new JsonObject { ["SERVER_UUID"] = Id, ["RESPONSE"] = "RELEASE_ACK", ["WORKERS_UUID"] = message["WORKERS_UUID"]!.DeepClone() },
            _ => null,
        };
    }

    private JsonObject AnswerWorker(string worker, string? home)
    {
        Workers[worker] = home;
        if (Orders.TryRemove(worker, out var order))
        {
            return order.AsObject();
        }

        if (home is null && !Lendable.Contains(worker))
        {
            Lendable.Enqueue(worker);
        }

        return Tasks.TryDequeue(out var user)
            ? new JsonObject { ["TASK"] = "QUERY", ["USER"] = user }
            : new JsonObject { ["TASK"] = "NO_TASK" };
    }

    private JsonObject Lend(JsonNode requestor)
    {
        if (!Lendable.TryDequeue(out var worker))
        {
            return new JsonObject { ["SERVER_UUID"] = Id, ["RESPONSE"] = "UNAVAILABLE", ["WORKERS_UUID"] = new JsonArray() };
        }

        Orders[worker] = new JsonObject { ["TASK"] = "REDIRECT", ["SERVER_REDIRECT"] = requestor.DeepClone() };
        return new JsonObject { ["SERVER_UUID"] = Id, ["RESPONSE"] = "AVAILABLE", ["WORKERS_UUID"] = new JsonArray(worker) };
    }
}
