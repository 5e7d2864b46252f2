using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Mesh.Tests.Server.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Api;

/// <summary>PUT, GET and DELETE /schedules (docs/protocol.md, "Schedules over HTTP").</summary>
public sealed class ScheduleApiTests
{
    private const string Nightly = """{"cron":"0 3 * * *","timeZone":"Europe/Lisbon","task":{"type":"RESIZE","payload":{"width":1.50},"priority":9,"maxAttempts":5,"timeout":"00:01:00","retry":{"delay":"00:00:10"}}}""";
    private const string EachMinute = """{"cron":"* * * * *","task":{"type":"QUERY","user":"maria"}}""";

    [Fact]
    public async Task Put_NewAndKnownName_Is201And200()
    {
        await using var server = await TestServer.StartAsync();

        var created = await server.PutAsync("/schedules/nightly", Nightly);
        var replaced = await server.PutAsync("/schedules/nightly", EachMinute);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, replaced.StatusCode));
        Assert.Equal("Europe/Lisbon", (await ReadAsync(created)).GetProperty("timeZone").GetString());
        var second = await ReadAsync(replaced);
        Assert.Equal(("* * * * *", "UTC"), (second.GetProperty("cron").GetString(), second.GetProperty("timeZone").GetString()));
        Assert.Equal("* * * * *", Assert.Single((await server.GetJsonAsync("/schedules")).EnumerateArray()).GetProperty("cron").GetString());
    }

    [Fact]
    public async Task Find_Schedule_ReturnsTheTaskAsItWasPut()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero));
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-a")), time);
        await server.PutAsync("/schedules/nightly", Nightly);

        var schedule = await server.GetJsonAsync("/schedules/nightly");

        // In July it is one hour later in Lisbon.
        Assert.Equal(
            ("nightly", "server-a", new DateTimeOffset(2026, 7, 2, 2, 0, 0, TimeSpan.Zero)),
            (schedule.GetProperty("name").GetString(), schedule.GetProperty("server").GetString(), schedule.GetProperty("next").GetDateTimeOffset()));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (schedule.GetProperty("lastFired").ValueKind, schedule.GetProperty("lastTask").ValueKind));
        var task = schedule.GetProperty("task");
        Assert.Equal(("RESIZE", """{"width":1.50}""", 9), (task.GetProperty("type").GetString(), task.GetProperty("payload").GetRawText(), task.GetProperty("priority").GetInt32()));
        Assert.Equal((5, "00:01:00", "00:00:10"), (
            task.GetProperty("maxAttempts").GetInt32(), task.GetProperty("timeout").GetString(), task.GetProperty("retry").GetProperty("delay").GetString()));
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/schedules/hourly")).StatusCode);
    }

    [Fact]
    public async Task Schedule_TimeComes_AcceptsATask()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero));
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-a")), time);
        using var log = new RecordedLog(server, 3401);
        await server.PutAsync("/schedules/each-minute", EachMinute);

        var task = server.GetAsync("/tasks/schedule:each-minute:2026-07-01T12:01:00Z");
        Assert.Equal(HttpStatusCode.NotFound, (await task).StatusCode);
        for (var i = 0; i < 60; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await HangGuard.UntilAsync("the task", async () => (await server.GetAsync("/tasks/schedule:each-minute:2026-07-01T12:01:00Z")).StatusCode == HttpStatusCode.OK);
        var schedule = await server.GetJsonAsync("/schedules/each-minute");
        Assert.Equal("schedule:each-minute:2026-07-01T12:01:00Z", schedule.GetProperty("lastTask").GetString());
        Assert.Equal(
            (new DateTimeOffset(2026, 7, 1, 12, 1, 0, TimeSpan.Zero), new DateTimeOffset(2026, 7, 1, 12, 2, 0, TimeSpan.Zero)),
            (schedule.GetProperty("lastFired").GetDateTimeOffset(), schedule.GetProperty("next").GetDateTimeOffset()));
        var found = await server.GetJsonAsync("/tasks/schedule:each-minute:2026-07-01T12:01:00Z");
        Assert.Equal(32, found.GetProperty("traceId").GetString()!.Length);
        Assert.Equal("Schedule each-minute has fired: task schedule:each-minute:2026-07-01T12:01:00Z is accepted.", (await log.LineAsync(3401)).Text);
    }

    [Fact]
    public async Task Schedule_NextTimeFarAway_DoesNotFailTheTimer()
    {
        await using var server = await TestServer.StartAsync();

        // A timer of .NET waits at most 49 days.
        Assert.Equal(HttpStatusCode.Created, (await server.PutAsync("/schedules/leap-day", """{"cron":"0 0 29 2 *","task":{"type":"QUERY","user":"maria"}}""")).StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal(29, (await server.GetJsonAsync("/schedules/leap-day")).GetProperty("next").GetDateTimeOffset().Day);
    }

    [Fact]
    public async Task Delete_Schedule_Is204Then404()
    {
        await using var server = await TestServer.StartAsync();
        await server.PutAsync("/schedules/nightly", Nightly);

        Assert.Equal(HttpStatusCode.NoContent, (await DeleteAsync(server, "nightly")).StatusCode);

        Assert.Equal(HttpStatusCode.NotFound, (await DeleteAsync(server, "nightly")).StatusCode);
        Assert.Equal(0, (await server.GetJsonAsync("/schedules")).GetArrayLength());
        Assert.Empty(server.Store.Schedules);
    }

    [Theory]
    [InlineData("{", "body")]
    [InlineData("[]", "body")]
    [InlineData("", "body")]
    [InlineData("""{"task":{"type":"QUERY","user":"maria"}}""", "cron")]
    [InlineData("""{"cron":5,"task":{"type":"QUERY","user":"maria"}}""", "cron")]
    [InlineData("""{"cron":"* * * *","task":{"type":"QUERY","user":"maria"}}""", "cron")]
    [InlineData("""{"cron":"0 0 30 2 *","task":{"type":"QUERY","user":"maria"}}""", "cron")]
    [InlineData("""{"cron":"* * * * *","cron":"* * * * *","task":{"type":"QUERY","user":"maria"}}""", "cron")]
    [InlineData("""{"cron":"* * * * *","timeZone":"Lisboa","task":{"type":"QUERY","user":"maria"}}""", "timeZone")]
    [InlineData("""{"cron":"* * * * *","timezone":"UTC","task":{"type":"QUERY","user":"maria"}}""", "timezone")]
    [InlineData("""{"cron":"* * * * *"}""", "task")]
    [InlineData("""{"cron":"* * * * *","task":[{"type":"QUERY","user":"maria"}]}""", "task")]
    [InlineData("""{"cron":"* * * * *","task":7}""", "task")]
    [InlineData("""{"cron":"* * * * *","task":{"type":"QUERY"}}""", "task.user")]
    [InlineData("""{"cron":"* * * * *","task":{"type":"RESIZE","retry":{"delay":1}}}""", "task.retry.delay")]
    [InlineData("""{"cron":"* * * * *","task":{"type":"QUERY","user":"maria","id":"order-1"}}""", "task.id")]
    [InlineData("""{"cron":"* * * * *","task":{"type":"QUERY","user":"maria","delay":"00:00:00"}}""", "task.delay")]
    [InlineData("""{"cron":"* * * * *","task":{"payload":{"id":1},"type":"RESIZE","notBefore":"2030-01-31T12:00:00Z"}}""", "task.notBefore")]
    public async Task Put_BadBody_NamesTheField(string json, string field)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PutAsync("/schedules/nightly", json);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await ReadAsync(answer);
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.StartsWith(field + " ", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_BadCron_GivesTheReason()
    {
        await using var server = await TestServer.StartAsync();

        var problem = await ReadAsync(await server.PutAsync("/schedules/nightly", """{"cron":"61 * * * *","task":{"type":"QUERY","user":"maria"}}"""));

        Assert.Contains("between 0 and 59", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("caf%C3%A9")]
    [InlineData("a%2Fb")]
    [InlineData("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn")]
    public async Task Put_BadName_NamesIt(string name)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PutAsync($"/schedules/{name}", EachMinute);

        Assert.Equal((HttpStatusCode.BadRequest, "name"), (answer.StatusCode, (await ReadAsync(answer)).GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Put_TooLargePayloadOrBody_Is413()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxPayloadBytes", "10"));

        var payload = await server.PutAsync("/schedules/nightly", """{"cron":"* * * * *","task":{"type":"RESIZE","payload":"0123456789"}}""");
        var body = await server.PutAsync("/schedules/nightly", new string(' ', 300_000) + EachMinute);

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "task.payload"), (payload.StatusCode, (await ReadAsync(payload)).GetProperty("field").GetString()));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "body"), (body.StatusCode, (await ReadAsync(body)).GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Put_BeyondTheLimit_Is429NamingTheSetting()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxSchedules", "1"));
        await server.PutAsync("/schedules/first", EachMinute);

        var answer = await server.PutAsync("/schedules/second", EachMinute);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Contains("Mesh__Tasks__MaxSchedules", (await ReadAsync(answer)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_StoreUnavailable_Is503AndWrittenWhenItIsBack()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.IsUnavailable = true;

        var answer = await server.PutAsync("/schedules/nightly", EachMinute);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await DeleteAsync(server, "nightly")).StatusCode);

        server.Store.IsUnavailable = false;
        await server.HealthyAsync();
        Assert.Equal("nightly", Assert.Single(server.Store.Schedules).Name);
    }

    [Fact]
    public async Task Restart_Schedules_AreKept()
    {
        var place = new InMemoryNamespace();
        await using (var first = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-a"), place), TimeProvider.System))
        {
            await first.PutAsync("/schedules/nightly", Nightly);
            await first.StopAsync();
        }

        await using var second = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-a"), place), TimeProvider.System);

        Assert.Equal("0 3 * * *", (await second.GetJsonAsync("/schedules/nightly")).GetProperty("cron").GetString());
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

    private static Task<HttpResponseMessage> DeleteAsync(TestServer server, string name) =>
        server.Http.DeleteAsync(new Uri($"/schedules/{name}", UriKind.Relative), TestContext.Current.CancellationToken);
}
