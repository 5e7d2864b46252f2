using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Server.Storage;
using Mesh.Transport;

namespace Mesh.Tests.Server.Api;

public sealed class ServerApiTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Account_PutTwice_IsCreatedThenSet()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/accounts/maria")).StatusCode);

        Assert.Equal(HttpStatusCode.Created, (await server.PutAsync("/accounts/maria", """{"balance":0}""")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.PutAsync("/accounts/maria", """{"balance":12.5}""")).StatusCode);

        var account = await server.GetJsonAsync("/accounts/maria");
        Assert.Equal(("maria", 12.5m), (account.GetProperty("user").GetString(), account.GetProperty("balance").GetDecimal()));
    }

    [Theory]
    [InlineData("{", "body")]
    [InlineData("[]", "body")]
    [InlineData("{}", "balance")]
    [InlineData("""{"balance":"12"}""", "balance")]
    [InlineData("""{"balance":-1}""", "balance")]
    [InlineData("""{"balance":0.00001}""", "balance")]
    [InlineData("""{"balance":1e-30}""", "balance")]
    [InlineData("""{"balance":12.50000000000000000000000000000001}""", "balance")]
    [InlineData("""{"balance":1,"balance":2}""", "balance")]
    [InlineData("""{"Balance":1}""", "Balance")]
    [InlineData("""{"balance":1,"currency":"EUR"}""", "currency")]
    public async Task Account_BadBody_NamesTheField(string json, string field)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PutAsync("/accounts/maria", json);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Status_WorkerAndPeer_HasTheContractsShape()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"));
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await worker.ReceiveAsync<NewTask>();

        var status = await server.GetJsonAsync("/status");

        Assert.Equal(["id", "advertise", "queue", "running", "scheduled", "done", "dead", "paused", "types", "workers", "peers", "loans", "adopted"], Names(status));
        Assert.Equal(server.Endpoint.ToString(), status.GetProperty("advertise").GetString());
        Assert.Equal("""{"id":"w1","home":"server-a","state":"busy","transport":"websocket"}""", status.GetProperty("workers")[0].GetRawText());
        Assert.Equal(["id", "endpoint", "alive", "lastSeen", "load"], Names(status.GetProperty("peers")[0]));
    }

    [Fact]
    public async Task Peers_OwnEntryInASharedList_IsSkipped()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "server-a"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"), ("Mesh:Peers:1:Id", "server-b"), ("Mesh:Peers:1:Endpoint", "127.0.0.1:2"));

        var peers = (await server.GetJsonAsync("/status")).GetProperty("peers");

        Assert.Equal(["server-b"], peers.EnumerateArray().Select(peer => peer.GetProperty("id").GetString()));
    }

    [Theory]
    [InlineData("/health", "Healthy")]
    [InlineData("/alive", "Healthy")]
    public async Task Probe_Unauthenticated_ReturnsOneWord(string path, string word)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "secret"));

        using var answer = await server.GetAsync(path);

        Assert.Equal((HttpStatusCode.OK, word), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
    }

    [Fact]
    public async Task Health_StoreUnavailableUnauthenticated_GivesNoReason()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore { IsUnavailable = true }, TimeProvider.System, ("Mesh:Token", "secret"));

        using var answer = await server.GetAsync("/health");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
    }

    [Fact]
    public async Task Events_TaskSubmitted_AreStreamed()
    {
        await using var server = await TestServer.StartAsync();
        await using var stream = await server.Http.GetStreamAsync(new Uri("/events", UriKind.Relative), Stop);
        using var events = new StreamReader(stream);
        Assert.Equal(0, await QueueAsync(events));

        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        Assert.Equal(1, await QueueAsync(events));
    }

    [Fact]
    public async Task OpenApi_Document_HasEveryPath()
    {
        await using var server = await TestServer.StartAsync();

        var document = await server.GetJsonAsync("/openapi/v1.json");

        Assert.Equal(["/accounts/{user}", "/events", "/loans/return", "/pause", "/resume", "/schedules", "/schedules/{name}", "/status", "/tasks", "/tasks/retry", "/tasks/{id}", "/tasks/{id}/retry"], Names(document.GetProperty("paths")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Start_StoreUnavailable_RejectsRequestsUntilRecovered()
    {
        var store = new InMemoryMeshStore { IsUnavailable = true };
        await using var server = await TestServer.StartAsync(store, TimeProvider.System);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/alive")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""")).StatusCode);
        var unreachable = await Assert.ThrowsAsync<MeshDialException>(() => server.DialAsync(Framing.WebSocket));
        Assert.Equal(MeshDialFailure.Unreachable, unreachable.Failure);

        store.IsUnavailable = false;
        await server.HealthyAsync();
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await worker.ReceiveAsync<NewTask>();
    }

    [Fact]
    public async Task Start_StoreUnavailable_RejectsWebSocketWithRetryAfter()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore { IsUnavailable = true }, TimeProvider.System);
        using var socket = await server.ConnectAsync();
        await socket.SayAsync(
            "GET /mesh HTTP/1.1\r\nHost: mesh\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

        Assert.Equal("HTTP/1.1 503 Service Unavailable\r", await socket.HearLineAsync());
        var headers = new List<string>();
        while (await socket.HearLineAsync() is { Length: > 1 } header)
        {
            headers.Add(header);
        }

        Assert.Contains("Retry-After: 2\r", headers);
    }

    [Fact]
    public async Task Start_StoreUnavailable_DispatchesNoTaskToEarlierPolls()
    {
        var store = new InMemoryMeshStore();
        string task;
        await using (var before = await TestServer.StartAsync(store, TimeProvider.System))
        {
            task = await before.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
            await before.StopAsync();
        }

        store.IsUnavailable = true;
        await using var server = await TestServer.StartAsync(store, TimeProvider.System);
        for (var poll = 0; poll < 4; poll++)
        {
            using var worker = await server.ConnectAsync();
            await worker.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n");
            Assert.Null(await worker.HearLineAsync());
        }

        store.IsUnavailable = false;
        await server.HealthyAsync();

        var after = await server.GetJsonAsync($"/tasks/{task}");
        Assert.Equal(("queued", 0), (after.GetProperty("state").GetString(), after.GetProperty("attempts").GetInt32()));
    }

    [Fact]
    public async Task Token_Missing_OnlyProbesAreServed()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"));

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/status")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/nowhere")).StatusCode);
        var refused = await Assert.ThrowsAsync<MeshDialException>(() => server.DialAsync(Framing.WebSocket));
        Assert.Equal(MeshDialFailure.Refused, refused.Failure);

        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cre");
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/status")).StatusCode);
    }

    [Fact]
    public async Task Token_Right_IsServed()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"), ("Mesh:Tasks:LineHoldTime", "00:00:00.1"));
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret");

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/status")).StatusCode);
        await using var worker = await server.DialAsync(Framing.WebSocket, "s3cret");

        // The line protocol has no token. Line peers on the same machine need none.
        using var line = await server.ConnectAsync();
        await line.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w1"}""" + "\n");
        Assert.Equal("""{"TASK": "NO_TASK"}""", await line.HearLineAsync());
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name);

    private static async Task<int> QueueAsync(StreamReader events)
    {
        while (await events.ReadLineAsync(Stop) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("queue").GetInt32();
            }
        }

        throw new EndOfStreamException("The events ended.");
    }
}
