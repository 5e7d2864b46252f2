using System.Net;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

/// <summary>DELETE /tasks/{id}.</summary>
public sealed class TaskCancelApiTests
{
    private static readonly WorkerId Worker = new("w1");

    [Fact]
    public async Task Cancel_QueuedTask_Is204AndRepeatable()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"RESIZE","id":"order 1"}""");

        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, "order%201"));
        Assert.Equal("cancelled", (await server.GetJsonAsync("/tasks/order%201")).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, "order%201"));
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());

        // The same key still finds the cancelled task.
        Assert.Equal("order 1", await server.SubmitAsync("""{"type":"RESIZE","id":"order 1"}"""));
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Cancel_QueuedUpdate_Is204AndTheLedgerRejectsIt()
    {
        await using var server = await TestServer.StartAsync();
        await server.PutAsync("/accounts/maria", """{"balance":1}""");
        var id = await server.SubmitAsync("""{"type":"UPDATE","user":"maria","amount":1}""");

        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, id));

        Assert.Equal("cancelled", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Cancel_RunningTask_Is202ThenItsWorkerIsTold()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync("""{"type":"RESIZE"}""");
        await using var worker = await server.DialAsync(Framing.WebSocket);
        var type = TaskType.Parse("RESIZE")!.Value;
        worker.TrySend(new GetTask(Worker) { Tasks = TaskTypeSet.Of(type) });
        var task = await worker.ReceiveAsync<NewTask>();

        var status = new TaskStatus(TaskOutcome.Running, type, Worker) { Id = task.Id, Progress = 0.25 };
        worker.TrySend(status);
        Assert.False((await worker.ReceiveAsync<Ack>()).Cancel);
        Assert.Equal(0.25, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("progress").GetDouble());
        Assert.Equal(HttpStatusCode.Accepted, await DeleteAsync(server, id));
        Assert.Equal(HttpStatusCode.Accepted, await DeleteAsync(server, id));
        Assert.Equal("running", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
        worker.TrySend(status);
        Assert.True((await worker.ReceiveAsync<Ack>()).Cancel);

        worker.TrySend(status with { Outcome = TaskOutcome.Nok, Progress = null, Error = "cancelled" });
        await worker.ReceiveAsync<Ack>();
        var cancelled = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal(("cancelled", "cancelled", 1), (cancelled.GetProperty("state").GetString(), cancelled.GetProperty("error").GetString(), cancelled.GetProperty("attempts").GetInt32()));
        Assert.Equal(JsonValueKind.Null, cancelled.GetProperty("progress").ValueKind);
        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, id));
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("done").GetInt32());
    }

    [Fact]
    public async Task Cancel_TaskThatIsDone_Is409()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(Worker) { Tasks = AccountTypes.All });
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new TaskStatus(TaskOutcome.Ok, TaskType.Query, Worker) { Id = task.Id });
        await worker.ReceiveAsync<Ack>();

        var answer = await server.DeleteAsync($"/tasks/{id}");

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Cancel_DeadLetter_DeletesThatOneAlone()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        string[] ids = [await server.SubmitAsync("""{"type":"QUERY","user":"maria"}"""), await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""")];
        await using var worker = await server.DialAsync(Framing.WebSocket);
        foreach (var _ in ids)
        {
            worker.TrySend(new GetTask(Worker) { Tasks = AccountTypes.All });
            var task = await worker.ReceiveAsync<NewTask>();
            worker.TrySend(new TaskStatus(TaskOutcome.Nok, TaskType.Query, Worker) { Id = task.Id });
            await worker.ReceiveAsync<Ack>();
        }

        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, ids[0]));

        Assert.Equal(ids[1], Assert.Single((await server.GetJsonAsync("/tasks?state=dead")).EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(1, (await server.GetJsonAsync("/status")).GetProperty("dead").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, await DeleteAsync(server, ids[0]));
    }

    [Fact]
    public async Task Cancel_UnknownTask_Is404()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, await DeleteAsync(server, "nobody"));
    }

    [Fact]
    public async Task Cancel_StoreUnavailable_Is503WithRetryAfterAndTakesEffectLater()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync("""{"type":"RESIZE"}""");
        server.Store.IsUnavailable = true;

        var answer = await server.DeleteAsync($"/tasks/{id}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);

        server.Store.IsUnavailable = false;
        await server.HealthyAsync();
        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(server, id));
    }

    private static async Task<HttpStatusCode> DeleteAsync(TestServer server, string id) => (await server.DeleteAsync($"/tasks/{id}")).StatusCode;
}
