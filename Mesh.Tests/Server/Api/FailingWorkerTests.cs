using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

/// <summary>A worker that fails at each task, over a socket, and one that completes them.</summary>
public sealed class FailingWorkerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FailingWorker_OtherWorkerHealthy_IsSetAsideAndNoTaskIsLost()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:SetAsideAfter", "1"));
        await using var sick = await server.DialAsync(Framing.WebSocket);
        await using var good = await server.DialAsync(Framing.WebSocket);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var working = Task.WhenAll(WorkAsync(sick, "sick", TaskOutcome.Nok, end.Token), WorkAsync(good, "good", TaskOutcome.Ok, end.Token));

        var body = $"[{string.Join(',', Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", 300))}]";
        await server.PostAsync("/tasks", body);
        var status = await server.GetJsonAsync("/status");
        await HangGuard.UntilAsync("all tasks to be done", async () =>
        {
            status = await server.GetJsonAsync("/status");
            Assert.Equal(0, status.GetProperty("dead").GetInt32());
            return status.GetProperty("done").GetInt32() == 300;
        });

        var worker = Worker(status, "sick");
        Assert.Equal(("setAside", 1), (worker.GetProperty("state").GetString(), worker.GetProperty("strikes").GetInt32()));
        Assert.True(worker.TryGetProperty("pausedUntil", out _));
        Assert.False(Worker(status, "good").TryGetProperty("strikes", out _));
        await end.CancelAsync();
        await working;
    }

    private static JsonElement Worker(JsonElement status, string id) =>
        status.GetProperty("workers").EnumerateArray().Single(worker => worker.GetProperty("id").GetString() == id);

    private static async Task WorkAsync(MeshConnection connection, string worker, TaskOutcome outcome, CancellationToken end)
    {
        try
        {
            connection.TrySend(new GetTask(new WorkerId(worker)) { Tasks = AccountTypes.All });
            while ((await connection.ReceiveAsync(end)).Message is { } message)
            {
                if (message is NewTask task)
                {
                    connection.TrySend(new TaskStatus(outcome, task.Type, new WorkerId(worker)) { Id = task.Id });
                }

                if (message is NewTask or NoTask)
                {
                    connection.TrySend(new GetTask(new WorkerId(worker)) { Tasks = AccountTypes.All });
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
