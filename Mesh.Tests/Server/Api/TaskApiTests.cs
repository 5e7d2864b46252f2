using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;

namespace Mesh.Tests.Server.Api;

public sealed class TaskApiTests
{
    [Theory]
    [InlineData("{", "body")]
    [InlineData("", "body")]
    [InlineData("17", "body")]
    [InlineData("[]", "body")]
    [InlineData("[17]", "[0]")]
    [InlineData("""{"user":"maria"}""", "type")]
    [InlineData("""{"type":"HEARTBEAT","user":"maria"}""", "type")]
    [InlineData("""{"type":1,"user":"maria"}""", "type")]
    [InlineData("""{"type":"QUERY"}""", "user")]
    [InlineData("""{"type":"QUERY","user":""}""", "user")]
    [InlineData("""{"type":"QUERY","user":"\ud800"}""", "user")]
    [InlineData("""{"type":"QUERY","user":{"name":"maria"}}""", "user")]
    [InlineData("""{"type":"UPDATE","user":"maria"}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":-1}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":NaN}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":"12"}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":0.00001}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":1e-30}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":0.00009999999999999999999999999999999}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":1.00000000000000000000000000000001}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":1e40}""", "amount")]
    [InlineData("""{"type":"QUERY","user":"maria","id":""}""", "id")]
    [InlineData("""{"type":"QUERY","user":"maria","id":7}""", "id")]
    [InlineData("""[{"type":"QUERY","user":"a"},{"type":"UPDATE","user":"maria","amount":-1}]""", "[1].amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":1,"amount":100}""", "amount")]
    [InlineData("""{"type":"UPDATE","user":"maria","amount":1,"amoun\u0074":1}""", "amount")]
    [InlineData("""{"type":"QUERY","user":"maria","id":null,"id":"a"}""", "id")]
    [InlineData("""[{"type":"QUERY","user":"a"},{"user":"b","type":"QUERY","user":"c"}]""", "[1].user")]
    [InlineData("""{"type":"UPDATE","user":"maria","Amount":1}""", "Amount")]
    [InlineData("""{"type":"QUERY","user":"maria","color":9}""", "color")]
    [InlineData("""{"type":"NO_TASK"}""", "type")]
    [InlineData("""{"type":"9LIVES"}""", "type")]
    [InlineData("""{"type":"RESIZE IT"}""", "type")]
    [InlineData("""{"type":"RÉSUMÉ"}""", "type")]
    [InlineData("""{"type":7}""", "type")]
    [InlineData("""{"type":"RESIZE","user":"maria"}""", "user")]
    [InlineData("""{"type":"RESIZE","amount":1}""", "amount")]
    [InlineData("""{"type":"QUERY","user":"maria","payload":{}}""", "payload")]
    [InlineData("""{"type":"RESIZE","payload":1,"payload":2}""", "payload")]
    [InlineData("""{"type":"RESIZE","payload":{"width":}}""", "payload")]
    [InlineData("""[{"type":"RESIZE"},{"type":"RESIZE","priority":10}]""", "[1].priority")]
    [InlineData("""{"type":"RESIZE","priority":-1}""", "priority")]
    [InlineData("""{"type":"RESIZE","priority":1.5}""", "priority")]
    [InlineData("""{"type":"RESIZE","priority":"9"}""", "priority")]
    [InlineData("""{"type":"RESIZE","notBefore":"tomorrow"}""", "notBefore")]
    [InlineData("""{"type":"RESIZE","notBefore":"2030-01-31T12:00:00"}""", "notBefore")]
    [InlineData("""{"type":"RESIZE","notBefore":"9030-01-31T12:00:00Z"}""", "notBefore")]
    [InlineData("""{"type":"RESIZE","delay":30}""", "delay")]
    [InlineData("""{"type":"RESIZE","delay":"-00:00:30"}""", "delay")]
    [InlineData("""{"type":"RESIZE","delay":"00:00:30","notBefore":"2030-01-31T12:00:00Z"}""", "delay")]
    [InlineData("""{"type":"RESIZE","maxAttempts":0}""", "maxAttempts")]
    [InlineData("""{"type":"RESIZE","maxAttempts":1001}""", "maxAttempts")]
    [InlineData("""{"type":"RESIZE","timeout":"00:00:00"}""", "timeout")]
    [InlineData("""{"type":"RESIZE","timeout":"32.00:00:00"}""", "timeout")]
    [InlineData("""{"type":"RESIZE","retry":"fast"}""", "retry")]
    [InlineData("""{"type":"RESIZE","retry":{}}""", "retry")]
    [InlineData("""{"type":"RESIZE","retry":{"delay":1}}""", "retry.delay")]
    [InlineData("""{"type":"RESIZE","retry":{"delay":"00:00:01","factor":0.5}}""", "retry.factor")]
    [InlineData("""{"type":"RESIZE","retry":{"delay":"00:00:10","maxDelay":"00:00:01"}}""", "retry")]
    [InlineData("""{"type":"RESIZE","retry":{"delay":"00:00:10","delay":"00:00:10"}}""", "retry.delay")]
    [InlineData("""{"type":"RESIZE","retry":{"wait":"00:00:10"}}""", "retry.wait")]
    [InlineData("""[{"type":"QUERY","user":"maria","usr":{"deep":[1]}}]""", "[0].usr")]
    [InlineData("""{"":1,"type":"QUERY","user":"maria"}""", "\"\"")]
    [InlineData("""{"\ud800":1,"type":"QUERY","user":"maria"}""", "body")]
    [InlineData("""[{"type":"QUERY","user":"a"},{"type":"QUERY","user":"a"},{"type":"QUERY"}]""", "[2].user")]
    public async Task Submit_BadBody_NamesTheField(string json, string field)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PostAsync("/tasks", json);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.StartsWith(field + " ", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Amount", "Amount is unknown; the nearest known property is amount.")]
    [InlineData("amuont", "amuont is unknown; the nearest known property is amount.")]
    [InlineData("Users", "Users is unknown; the nearest known property is user.")]
    [InlineData("color", "color is unknown; the known properties are type, user, amount, id, payload, priority, notBefore, delay, maxAttempts, timeout, retry.")]
    public async Task Submit_UnknownProperty_NamesTheNearestKnownOne(string name, string detail)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PostAsync("/tasks", $$"""{"type":"QUERY","user":"maria","{{name}}":1}""");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(detail, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Submit_ByteOrderMarkBeforeTheBody_IsAccepted()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal("order-1", await server.SubmitAsync("\uFEFF" + """{"type":"QUERY","user":"maria","id":"order-1"}"""));
        Assert.Equal(HttpStatusCode.Created, (await server.PutAsync("/accounts/maria", "\uFEFF{\"balance\":1}")).StatusCode);
    }

    [Fact]
    public async Task Lines_ByteOrderMarkBeforeTheFirst_IsAccepted()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:LineHoldTime", "00:00:00"));
        using var socket = await server.ConnectAsync();
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes("\uFEFF{\"WORKER\":\"ALIVE\",\"WORKER_UUID\":\"w1\"}\n"), TestContext.Current.CancellationToken);

        using var lines = new StreamReader(stream);
        Assert.Equal("""{"TASK": "NO_TASK"}""", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Submit_BodyTooLarge_Is413NamingIt()
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PostAsync("/tasks", "[" + new string(' ', 4 * 1024 * 1024) + "]");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal("body", problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Submit_TenThousandTasks_AreAllQueued()
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PostAsync("/tasks", "[" + string.Join(',', Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", 10_000)) + "]");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(10_000, body.GetProperty("ids").EnumerateArray().Select(id => id.GetString()).Distinct().Count());
        Assert.Equal(10_000, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Submit_QueueFull_Is429WithRetryAfter()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:Capacity", "1"));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        var answer = await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task Submit_MoreThanCapacity_Is413NamingTheSetting()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:Capacity", "1"));

        var answer = await server.PostAsync("/tasks", """[{"type":"QUERY","user":"maria"},{"type":"QUERY","user":"maria"}]""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("Mesh__Tasks__Capacity", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_StoreUnavailable_Is503WithRetryAfterUntilRecovered()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.IsUnavailable = true;

        var answer = await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);

        server.Store.IsUnavailable = false;
        await server.HealthyAsync();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
    }

    [Fact]
    public async Task Submit_StoreRolledBackAndNotLoaded_Is503UntilLoaded()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        (server.Store.HasGoneBack, server.Store.IsUnreadable) = (true, true);

        var answer = await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""")).StatusCode);

        server.Store.IsUnreadable = false;
        await server.HealthyAsync();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        Assert.Equal(2, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Submit_SameKeyTwice_IsOneTask()
    {
        await using var server = await TestServer.StartAsync();
        const string Task = """{"type":"QUERY","user":"maria","id":"order-1"}""";

        Assert.Equal("order-1", await server.SubmitAsync(Task));
        Assert.Equal("order-1", await server.SubmitAsync(Task));

        Assert.Equal(1, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Find_TaskInEachState_ReturnsItsState()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync("""{"type":"UPDATE","user":"maria","amount":12.5}""");
        var queued = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal("queued", queued.GetProperty("state").GetString());
        Assert.Equal(32, queued.GetProperty("traceId").GetString()!.Length);

        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")) { Tasks = AccountTypes.All });
        var task = await worker.ReceiveAsync<NewTask>();
        Assert.Equal((TaskType.Update, "maria", 12.5m), (task.Type, task.User, task.Amount));
        Assert.Equal("running", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());

        worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Update, new WorkerId("w1")) { Id = task.Id, Result = RawJson.Of(22.5m) });
        Assert.Equal(task.Id, (await worker.ReceiveAsync<Ack>()).Id);
        var done = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal(("done", 1, 22.5m, "w1"), (done.GetProperty("state").GetString(), done.GetProperty("attempts").GetInt32(),
            done.GetProperty("result").GetDecimal(), done.GetProperty("worker").GetString()));
    }

    [Fact]
    public async Task Find_UnknownTask_Is404()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/tasks/nobody")).StatusCode);
    }

    [Fact]
    public async Task List_UnknownState_Is400()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await server.GetAsync("/tasks?state=lost")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.GetAsync("/tasks?state=dead&limit=0")).StatusCode);
    }

    [Fact]
    public async Task Retry_DeadLetter_IsRunAgainUnderItsId()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        Assert.Equal(HttpStatusCode.Conflict, (await server.PostAsync($"/tasks/{id}/retry", "")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await server.PostAsync("/tasks/nobody/retry", "")).StatusCode);

        await using var worker = await server.DialAsync(Framing.WebSocket);
        var first = await RunAsync(worker, TaskOutcome.Nok);
        var dead = Assert.Single((await server.GetJsonAsync("/tasks?state=dead")).EnumerateArray());
        Assert.Equal((id, "dead", "no such user"), (dead.GetProperty("id").GetString(), dead.GetProperty("state").GetString(), dead.GetProperty("error").GetString()));

        Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync($"/tasks/{id}/retry", "")).StatusCode);
        Assert.NotEqual(first, await RunAsync(worker, TaskOutcome.Ok));
        Assert.Equal("done", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.Conflict, (await server.PostAsync($"/tasks/{id}/retry", "")).StatusCode);
    }

    private static async Task<TaskId?> RunAsync(MeshConnection worker, TaskOutcome outcome)
    {
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new Mesh.Protocol.TaskStatus(outcome, TaskType.Query, new WorkerId("w1"))
        {
            Id = task.Id,
            Result = outcome == TaskOutcome.Ok ? RawJson.Of(1) : null,
            Error = outcome == TaskOutcome.Ok ? null : "no such user",
        });
        await worker.ReceiveAsync<Ack>();
        return task.Id;
    }
}
