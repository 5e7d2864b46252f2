using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;

namespace Mesh.Tests.Server.Api;

public sealed class PauseApiTests
{
    private const string Task = """{"type":"QUERY","user":"maria"}""";
    private const int Paused = 3008;
    private const int Resumed = 3009;
    private const int Wave = 5001;
    private const int NoWave = 5003;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PauseAndResume_Repeated_ReturnTheSame()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Task);

        Assert.Equal("""{"paused":true,"queue":1,"running":0}""", await PostAsync(server, "/pause"));
        Assert.Equal("""{"paused":true,"queue":1,"running":0}""", await PostAsync(server, "/pause"));
        Assert.True((await server.GetJsonAsync("/status")).GetProperty("paused").GetBoolean());

        Assert.Equal("""{"paused":false,"queue":1,"running":0}""", await PostAsync(server, "/resume"));
        Assert.Equal("""{"paused":false,"queue":1,"running":0}""", await PostAsync(server, "/resume"));
        Assert.False((await server.GetJsonAsync("/status")).GetProperty("paused").GetBoolean());
    }

    [Fact]
    public async Task Submit_Paused_Is503NamingResume()
    {
        await using var server = await TestServer.StartAsync();
        await PostAsync(server, "/pause");

        var answer = await server.PostAsync("/tasks", Task);

        await AssertPausedAsync(answer);
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
        await PostAsync(server, "/resume");
        await server.SubmitAsync(Task);
    }

    [Fact]
    public async Task Retry_Paused_IsRefusedAndTheDeadLetterStays()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        await using var worker = await server.DialAsync(Framing.WebSocket);
        var id = await server.SubmitAsync(Task);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Error = "no such user" });
        await worker.ReceiveAsync<Ack>();
        await PostAsync(server, "/pause");

        await AssertPausedAsync(await server.PostAsync($"/tasks/{id}/retry", ""));

        Assert.Equal("dead", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
        await PostAsync(server, "/resume");
        Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync($"/tasks/{id}/retry", "")).StatusCode);
    }

    [Fact]
    public async Task Pause_AcceptedTask_RunsAndSettles()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync(Task);
        await PostAsync(server, "/pause");

        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Result = RawJson.Of(1m) });
        await worker.ReceiveAsync<Ack>();

        Assert.Equal("done", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Health_Paused_IsHealthy()
    {
        await using var server = await TestServer.StartAsync();
        await PostAsync(server, "/pause");

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/alive")).StatusCode);
    }

    [Fact]
    public async Task Events_PauseAndResume_AreStreamed()
    {
        await using var server = await TestServer.StartAsync();
        await using var stream = await server.Http.GetStreamAsync(new Uri("/events", UriKind.Relative), Stop);
        using var events = new StreamReader(stream);
        Assert.False(await NextPausedAsync(events));

        await PostAsync(server, "/pause");
        Assert.True(await NextPausedAsync(events));
        await PostAsync(server, "/resume");
        Assert.False(await NextPausedAsync(events));
    }

    [Fact]
    public async Task Log_PauseAndResumeTwiceEach_ReportsEachChangeOnce()
    {
        await using var server = await TestServer.StartAsync();
        using var log = new EventIdLog(server, Paused, Resumed);

        foreach (var path in new[] { "/resume", "/pause", "/pause", "/resume", "/resume", "/pause" })
        {
            await PostAsync(server, path);
        }

        int[] logged = [await log.NextAsync(), await log.NextAsync(), await log.NextAsync()];
        Assert.Equal([Paused, Resumed, Paused], logged);
    }

    [Theory]
    [InlineData("/pause")]
    [InlineData("/resume")]
    [InlineData("/loans/return")]
    public async Task Operation_WithoutToken_IsRefused(string path)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"));

        Assert.Equal(HttpStatusCode.Unauthorized, (await server.PostAsync(path, "")).StatusCode);
    }

    [Fact]
    public async Task Producer_Paused_SubmitsNoWaveUntilResumed()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Producer:Enabled", "true"), ("Mesh:Producer:Burst", "1"), ("Mesh:Producer:Period", "00:00:00.100"));
        using var log = new EventIdLog(server, Wave, NoWave, Paused, Resumed);
        await log.UntilAsync(Wave);

        await PostAsync(server, "/pause");
        await log.UntilAsync(NoWave);
        var queue = (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32();
        Assert.Equal($$"""{"paused":false,"queue":{{queue}},"running":0}""", await PostAsync(server, "/resume"));

        Assert.Empty(await log.UntilAsync(Resumed));
        Assert.Empty(await log.UntilAsync(Wave));
    }

    private static async Task<string> PostAsync(TestServer server, string path)
    {
        var answer = await server.PostAsync(path, "");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private static async Task AssertPausedAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var detail = (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("detail").GetString();
        Assert.Contains("paused", detail, StringComparison.Ordinal);
        Assert.Contains("POST /resume", detail, StringComparison.Ordinal);
    }

    private static async Task<bool> NextPausedAsync(StreamReader events)
    {
        while (await events.ReadLineAsync(Stop) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                using var status = JsonDocument.Parse(line["data: ".Length..]);
                return status.RootElement.GetProperty("paused").GetBoolean();
            }
        }

        throw new EndOfStreamException("The events ended.");
    }
}
