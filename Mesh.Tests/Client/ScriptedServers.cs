using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MeshAspire.Client;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>A request that a scripted server received.</summary>
internal sealed record ReceivedRequest(string Server, string Method, string Path, string Body, string? Authorization)
{
    /// <summary>The ids of the tasks in the body.</summary>
    public string[] Ids => JsonNode.Parse(Body) switch
    {
        JsonArray many => [.. many.Select(task => (string)task!["id"]!)],
        { } one => [(string)one["id"]!],
        null => [],
    };

    public override string ToString() => $"{Server} {Method} {Path}";
}

/// <summary>What a scripted server does with a request. The body is read before, unless it is a refused connection.</summary>
internal delegate Task<HttpResponseMessage> ServerAction(HttpRequestMessage request, CancellationToken cancellationToken);

/// <summary>Servers whose answers a test determines, one after the other for each host. The last answer is repeated.</summary>
internal sealed class ScriptedServers : HttpMessageHandler
{
    public static readonly Uri A = new("http://server-a/");
    public static readonly Uri B = new("http://server-b/");

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<ServerAction>> _scripts = [];
    private readonly List<ReceivedRequest> _received = [];

    public AutoAdvanceTimeProvider Time { get; } = new();

    /// <summary>All requests in their order. A refused connection counts as one.</summary>
    public IReadOnlyList<ReceivedRequest> Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>The requests as "server-a POST /tasks".</summary>
    public string[] Log => [.. Received.Select(request => $"{request}")];

    /// <summary>Sets the answers of a server.</summary>
    public ScriptedServers On(string host, params ServerAction[] actions)
    {
        _scripts[host] = new(actions);
        return this;
    }

    /// <summary>Creates a client of server-a, and of server-b as its fallback where it has a script. Delays end at once.</summary>
    public MeshClient Client(Action<MeshClientSettings>? configure = null)
    {
        var settings = new MeshClientSettings { RequestTimeout = AutoAdvanceTimeProvider.Never, RetryDelay = TimeSpan.FromMilliseconds(100) };
        foreach (var host in _scripts.Keys.Order(StringComparer.Ordinal))
        {
            settings.Endpoints.Add($"http://{host}");
        }

        configure?.Invoke(settings);
        var addresses = new MeshAspire.Client.Http.FixedAddresses([.. settings.Endpoints.Select(endpoint => new Uri(endpoint + "/"))]);
        return new(new HttpClient(this, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan }, addresses, settings, Time, logger: null, random: () => 1);
    }

    public static ServerAction Accept() => (_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Accepted) { Content = Json("{}") });

    public static ServerAction Status(HttpStatusCode status) => (_, _) => Task.FromResult(new HttpResponseMessage(status));

    public static ServerAction Body(string json, string? link = null) => (_, _) =>
    {
        var response = new HttpResponseMessage { Content = Json(json) };
        if (link is not null)
        {
            response.Headers.Add("Link", link);
        }

        return Task.FromResult(response);
    };

    public static ServerAction Problem(HttpStatusCode status, string json, string? retryAfter = null) => (_, _) =>
    {
        var response = new HttpResponseMessage(status) { Content = Json(json) };
        if (retryAfter is not null)
        {
            response.Headers.Add("Retry-After", retryAfter);
        }

        return Task.FromResult(response);
    };

    public static ServerAction Full(string? retryAfter = "1") =>
        Problem(HttpStatusCode.TooManyRequests, """{"detail":"This server has reached its limit of unsettled tasks (Mesh__Tasks__Capacity).","accepted":false}""", retryAfter);

    public static ServerAction NothingAccepted(string? retryAfter = null) => Problem(HttpStatusCode.ServiceUnavailable, """{"detail":"This server is paused.","accepted":false}""", retryAfter);

    /// <summary>A 503 that does not say whether anything was accepted.</summary>
    public static ServerAction Unavailable(string? retryAfter = null) => Problem(HttpStatusCode.ServiceUnavailable, """{"detail":"The store is unavailable."}""", retryAfter);

    /// <summary>The connection is lost after the request was sent.</summary>
    public static ServerAction Lost() => (_, _) => throw new HttpRequestException("An error occurred while sending the request.", new IOException("The connection was reset."));

    public static ServerAction Hang() => async (_, cancellationToken) =>
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException();
    };

    /// <summary>No connection is made, so that the body is not read.</summary>
    public static ServerAction Refused() => RefusedAction;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ServerAction action;
        lock (_lock)
        {
            var script = _scripts[request.RequestUri!.Host];
            action = script.Count > 1 ? script.Dequeue() : script.Peek();
        }

        var body = action == RefusedAction || request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (_lock)
        {
            _received.Add(new(request.RequestUri.Host, request.Method.Method, request.RequestUri.PathAndQuery, body, $"{request.Headers.Authorization}"));
        }

        return await action(request, cancellationToken);
    }

    private static readonly ServerAction RefusedAction = (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");
}
