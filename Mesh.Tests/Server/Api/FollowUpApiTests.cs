using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Worker;
using MeshAspire.Worker;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

/// <summary>A worker submits tasks with its results, over a WebSocket.</summary>
public sealed class FollowUpApiTests
{
    [Fact]
    public async Task Handler_ThatReturnsThen_RunsChainAndFanOutInTheTraceOfTheFirstTask()
    {
        await using var server = await TestServer.StartAsync(("Mesh:ServerId", "SERVER_1"));
        await using var worker = await WorkerHost.StartAsync(server.Endpoint.ToString(), handlers => handlers.AddHandler<int, int>("COUNTDOWN", CountDownAsync), ("Mesh:Concurrency", "4"));

        var first = await server.SubmitAsync("""{"type":"COUNTDOWN","payload":3}""");

        // 3 submits two tasks of 2, each of which submits two tasks of 1, and so on.
        await HangGuard.UntilAsync("all tasks to be done", async () => (await server.GetJsonAsync("/status")).GetProperty("done").GetInt64() == 15);
        var root = await server.GetJsonAsync($"/tasks/{first}");
        var leaf = new TaskId(first);
        for (var depth = 0; depth < 3; depth++)
        {
            leaf = FollowUpId.Of(leaf, depth % 2);
        }

        var last = await server.GetJsonAsync($"/tasks/{leaf}");
        Assert.Equal(("done", "COUNTDOWN", 0), (last.GetProperty("state").GetString(), last.GetProperty("type").GetString(), last.GetProperty("result").GetInt32()));
        Assert.NotNull(root.GetProperty("traceId").GetString());
        Assert.Equal(root.GetProperty("traceId").GetString(), last.GetProperty("traceId").GetString());
    }

    [Fact]
    public async Task Status_WithAnInvalidTask_IsAcknowledgedAndFailsTheAttempt()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"), ("Mesh:Tasks:MaxPayloadBytes", "10"));
        await using var worker = await server.DialAsync(Framing.WebSocket);
        var id = await server.SubmitAsync("""{"type":"RESIZE"}""");
        Assert.True(worker.TrySend(new GetTask(new WorkerId("w1"), null) { Tasks = TaskTypeSet.Of(TaskType.Parse("RESIZE")!.Value) }));
        var task = await worker.ReceiveAsync<NewTask>();

        Assert.True(worker.TrySend(new TaskStatus(TaskOutcome.Ok, task.Type, new WorkerId("w1"))
        {
            Id = task.Id,
            Then = RawJson.Copy("""[{"type":"NOTIFY"},{"type":"NOTIFY","payload":"longer than ten"}]"""u8),
        }));

        Assert.Equal(task.Id, (await worker.ReceiveAsync<Ack>()).Id);
        var dead = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal(
            ("dead", "THEN[1].payload must not be larger than 10 bytes (Mesh__Tasks__MaxPayloadBytes)"),
            (dead.GetProperty("state").GetString(), dead.GetProperty("error").GetString()));
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    /// <summary>Returns its payload, and submits two tasks with the next lower number.</summary>
    private static Task<int> CountDownAsync(int number, TaskContext context)
    {
        for (var i = 0; i < 2 && number > 0; i++)
        {
            context.AddFollowUp("COUNTDOWN", number - 1);
        }

        return Task.FromResult(number);
    }
}
