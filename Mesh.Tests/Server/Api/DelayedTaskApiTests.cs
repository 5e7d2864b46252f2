using System.Net;
using System.Text.Json;
using Mesh.Protocol;

namespace Mesh.Tests.Server.Api;

/// <summary>Delays, priorities and limits of tasks over HTTP (docs/protocol.md, "Tasks over HTTP").</summary>
public sealed class DelayedTaskApiTests
{
    private static readonly TaskType Resize = new("RESIZE");

    [Fact]
    public async Task Find_DelayedTask_ShowsItsTime()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"at","notBefore":"2030-01-31T13:00:00.5+01:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"in","delay":"01:00:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"past","notBefore":"2020-01-31T12:00:00Z"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"now"}""");

        var at = await server.GetJsonAsync("/tasks/at");
        Assert.Equal(("scheduled", new DateTimeOffset(2030, 1, 31, 12, 0, 0, 500, TimeSpan.Zero)), (State(at), at.GetProperty("notBefore").GetDateTimeOffset()));
        var delayed = await server.GetJsonAsync("/tasks/in");
        Assert.Equal("scheduled", State(delayed));
        Assert.InRange(delayed.GetProperty("notBefore").GetDateTimeOffset() - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(55), TimeSpan.FromHours(1));
        Assert.Equal("queued", State(await server.GetJsonAsync("/tasks/past")));
        Assert.False((await server.GetJsonAsync("/tasks/now")).TryGetProperty("notBefore", out _));
        var status = await server.GetJsonAsync("/status");
        Assert.Equal((2, 2), (status.GetProperty("queue").GetInt32(), status.GetProperty("scheduled").GetInt32()));
    }

    [Fact]
    public async Task List_Scheduled_IsEarliestFirst()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"c","delay":"03:00:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"a","delay":"01:00:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"b","delay":"02:00:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"queued"}""");

        Assert.Equal(["a", "b"], Ids(await server.GetJsonAsync("/tasks?state=scheduled&limit=2")));
        Assert.Equal(["queued"], Ids(await server.GetJsonAsync("/tasks?state=queued")));
    }

    /// <summary>A timer of .NET does not accept a time that is more than 49 days away.</summary>
    [Fact]
    public async Task Submit_DelayOfYears_LeavesTheServerRunning()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"far","delay":"3650.00:00:00"}""");
        await server.SubmitAsync("""{"type":"RESIZE","id":"now"}""");

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal("scheduled", State(await server.GetJsonAsync("/tasks/far")));
    }

    [Fact]
    public async Task Task_WhenItsDelayIsOver_IsGivenToTheWaitingWorker()
    {
        await using var server = await TestServer.StartAsync();
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")) { Tasks = TaskTypeSet.Of(Resize) });
        var submitted = TimeProvider.System.GetUtcNow();
        await server.SubmitAsync("""{"type":"RESIZE","id":"t1","delay":"00:00:00.3"}""");

        await worker.ReceiveAsync<NewTask>();

        Assert.True(TimeProvider.System.GetUtcNow() - submitted >= TimeSpan.FromSeconds(0.3));
        Assert.Equal("running", State(await server.GetJsonAsync("/tasks/t1")));
    }

    [Fact]
    public async Task Tasks_WithPriorities_AreGivenHighestFirst()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await server.PostAsync("/tasks", """[{"type":"RESIZE","payload":"low","priority":0},{"type":"RESIZE","payload":"default"},{"type":"RESIZE","payload":"high","priority":9}]""")).StatusCode);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        var order = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            worker.TrySend(new GetTask(new WorkerId("w1")) { Tasks = TaskTypeSet.Of(Resize) });
            order.Add((await worker.ReceiveAsync<NewTask>()).Payload!.Value.ToString());
        }

        Assert.Equal(["\"high\"", "\"default\"", "\"low\""], order);
    }

    [Fact]
    public async Task Task_WithOneAttempt_IsADeadLetterAfterIt()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"t1","maxAttempts":1}""");
        await FailAsync(server, status => status);

        Assert.Equal("dead", State(await server.GetJsonAsync("/tasks/t1")));
    }

    [Fact]
    public async Task Task_WithARetryDelay_IsScheduledForItsNextAttempt()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"t1","retry":{"delay":"02:00:00","maxDelay":"04:00:00"}}""");
        await FailAsync(server, status => status);

        var task = await server.GetJsonAsync("/tasks/t1");
        Assert.Equal(("scheduled", 1, "no"), (State(task), task.GetProperty("attempts").GetInt32(), task.GetProperty("error").GetString()));
        Assert.InRange(task.GetProperty("notBefore").GetDateTimeOffset() - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(115), TimeSpan.FromMinutes(120));
    }

    [Fact]
    public async Task Nok_WithRetryFalse_MakesADeadLetter()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"t1"}""");
        await FailAsync(server, status => status with { MayRetry = false });

        Assert.Equal("dead", State(await server.GetJsonAsync("/tasks/t1")));
    }

    private static async Task FailAsync(TestServer server, Func<Mesh.Protocol.TaskStatus, Mesh.Protocol.TaskStatus> change)
    {
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")) { Tasks = TaskTypeSet.Of(Resize) });
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(change(new Mesh.Protocol.TaskStatus(TaskOutcome.Nok, Resize, new WorkerId("w1")) { Id = task.Id, Error = "no" }));
        await worker.ReceiveAsync<Ack>();
    }

    private static string? State(JsonElement task) => task.GetProperty("state").GetString();

    private static IEnumerable<string?> Ids(JsonElement tasks) => tasks.EnumerateArray().Select(task => task.GetProperty("id").GetString());
}
