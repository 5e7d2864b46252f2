using System.Net;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>Dead letters and schedules over several servers and pages.</summary>
public sealed class DeadLetterClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task List_SeveralPagesAndServers_ReturnsAll()
    {
        using var servers = new ScriptedServers()
            .On("server-a", Dead("a1", "</tasks?state=dead&type=RESIZE&limit=100&after=x%2Fy>; rel=\"next\""), Lost(), Dead("a2"))
            .On("server-b", Dead("b1"));

        var dead = await servers.Client().ListDeadLettersAsync("RESIZE", Stop).ToListAsync(Stop);

        Assert.Equal(["a1", "a2", "b1"], dead.Select(task => task.Id));
        Assert.Equal([A, A, B], dead.Select(task => task.Server));
        Assert.Equal("server-a GET /tasks?state=dead&type=RESIZE&limit=100&after=x%2Fy", servers.Log[1]);
    }

    [Fact]
    public async Task List_NextPageAtAnotherHost_IsNotRequested()
    {
        using var servers = new ScriptedServers().On("server-a", Dead("a1", "<http://elsewhere/tasks?state=dead>; rel=\"next\"")).On("server-b", Dead("b1"));

        await Assert.ThrowsAsync<UnexpectedResponseException>(async () => await servers.Client().ListDeadLettersAsync(cancellationToken: Stop).ToListAsync(Stop));

        Assert.Single(servers.Log);
    }

    [Theory]
    [InlineData(HttpStatusCode.Accepted, RetryResult.Retried)]
    [InlineData(HttpStatusCode.Conflict, RetryResult.NotDead)]
    [InlineData(HttpStatusCode.NotFound, RetryResult.NotFound)]
    public async Task Retry_EachAnswer_HasItsResult(HttpStatusCode status, RetryResult result)
    {
        using var servers = new ScriptedServers().On("server-a", Full(), Status(status));

        Assert.Equal(result, await servers.Client().RetryAsync("t", Stop));
        Assert.Equal("server-a POST /tasks/t/retry", servers.Log[^1]);
    }

    [Fact]
    public async Task Retry_NotDeadAfterALostAnswer_CountsAsRetried()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Status(HttpStatusCode.Conflict));

        Assert.Equal(RetryResult.Retried, await servers.Client().RetryAsync("t", Stop));
    }

    [Fact]
    public async Task RetryAll_EndsEarly_IsRepeatedAndCountsTheParts()
    {
        using var servers = new ScriptedServers()
            .On("server-a", Problem(HttpStatusCode.TooManyRequests, """{"count":200}""", "1"), Body("""{"count":50}"""))
            .On("server-b", Body("""{"count":7}"""));

        Assert.Equal(257, await servers.Client().RetryDeadLettersAsync("RE.SIZE", Stop));
        Assert.Equal("server-b POST /tasks/retry?state=dead&type=RE.SIZE", servers.Log[^1]);
    }

    [Fact]
    public async Task DeleteAll_TwoServers_CountsBoth()
    {
        using var servers = new ScriptedServers().On("server-a", Body("""{"count":50}""")).On("server-b", Body("""{"count":7}"""));

        Assert.Equal(57, await servers.Client().DeleteDeadLettersAsync(cancellationToken: Stop));
        Assert.Equal("server-b DELETE /tasks?state=dead", servers.Log[^1]);
    }

    [Fact]
    public async Task Delete_NotADeadLetter_CancelsNothing()
    {
        using var servers = new ScriptedServers().On("server-a", Body("""{"id":"t","type":"RESIZE","state":"queued"}"""));

        Assert.False(await servers.Client().DeleteDeadLetterAsync("t", Stop));
        Assert.Single(servers.Log);
    }

    [Fact]
    public async Task Delete_DeadLetter_IsDeleted()
    {
        using var servers = new ScriptedServers().On("server-a", Body("""{"id":"t","type":"RESIZE","state":"dead"}"""), Status(HttpStatusCode.NoContent));

        Assert.True(await servers.Client().DeleteDeadLetterAsync("t", Stop));
        Assert.Equal("server-a DELETE /tasks/t", servers.Log[^1]);
    }

    [Fact]
    public async Task PutSchedule_LostAnswer_IsRepeatedAtThePrimary()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Body(Nightly)).On("server-b", Body(Nightly));
        var task = new MeshTaskRequest("RESIZE") { Options = new() { Priority = 9, Retry = new(TimeSpan.FromSeconds(10)) } };

        var schedule = await servers.Client().PutScheduleAsync("nightly", new("0 3 * * *", task) { TimeZone = "Europe/Lisbon" }, Stop);

        Assert.Equal(["server-a PUT /schedules/nightly", "server-a PUT /schedules/nightly"], servers.Log);
        Assert.Equal(
            """{"cron":"0 3 * * *","timeZone":"Europe/Lisbon","task":{"type":"RESIZE","priority":9,"retry":{"delay":"00:00:10"}}}""", servers.Received[0].Body);
        Assert.Equal(("nightly", "server-a", task), (schedule.Name, schedule.Server, schedule.Task));
    }

    [Fact]
    public async Task PutSchedule_CronNotValid_NamesTheField()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.BadRequest, """{"detail":"cron is not valid.","field":"cron"}"""));

        var error = await Assert.ThrowsAsync<TaskRejectedException>(() => servers.Client().PutScheduleAsync("nightly", new("?", new("RESIZE")), Stop));

        Assert.Equal("cron", error.Field);
    }

    [Fact]
    public async Task Schedules_AtTheFallback_AreFoundListedAndDeleted()
    {
        using var servers = new ScriptedServers()
            .On("server-a", Status(HttpStatusCode.NotFound), Body("[]"), Status(HttpStatusCode.NotFound))
            .On("server-b", Body(Nightly), Body($"[{Nightly}]"), Status(HttpStatusCode.NoContent), Status(HttpStatusCode.NotFound));
        var client = servers.Client();

        Assert.Equal("nightly", (await client.GetScheduleAsync("nightly", Stop))!.Name);
        Assert.Single(await client.ListSchedulesAsync(Stop));
        Assert.True(await client.DeleteScheduleAsync("nightly", Stop));
        Assert.False(await client.DeleteScheduleAsync("nightly", Stop));
    }

    private const string Nightly =
        """{"name":"nightly","cron":"0 3 * * *","timeZone":"Europe/Lisbon","task":{"type":"RESIZE","user":null,"amount":null,"payload":null,"priority":9,"maxAttempts":null,"timeout":null,"""
        + """ "retry":{"delay":"00:00:10","factor":null,"maxDelay":null}},"server":"server-a","next":"2026-01-31T03:00:00+00:00","lastFired":null,"lastTask":null}""";

    private static ServerAction Dead(string id, string? link = null) => Body($$"""[{"id":"{{id}}","type":"RESIZE","state":"dead","attempts":3,"error":"no"}]""", link);
}
