using System.Net;
using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Api;

/// <summary>More tasks than a server may hold. Mesh.Bench measures how fast it refuses them and how its memory grows.</summary>
public sealed class OverloadTests
{
    private const int Batch = 20;
    private const int Batches = 10;
    private const int Capacity = Batch * Batches;

    private static readonly string Tasks = $"[{string.Join(',', Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", Batch))}]";

    [Fact]
    public async Task Submissions_BeyondTheCapacity_AreRefusedUntilTasksSettle()
    {
        await using var server = await TestServer.StartAsync(new(), new FakeTimeProvider(), ("Mesh:Tasks:Capacity", $"{Capacity}"));
        await using var worker = await server.DialAsync(Framing.WebSocket);
        for (var accepted = 1; accepted <= Batches; accepted++)
        {
            Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync("/tasks", Tasks)).StatusCode);
            Assert.Equal(accepted * Batch, await UnsettledAsync(server));
        }

        for (var round = 1; round <= 3; round++)
        {
            await AssertRefusedAsync(server);
            await SettleAsync(worker, Batch - 1);
            await AssertRefusedAsync(server);
            await SettleAsync(worker, 1);

            Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync("/tasks", Tasks)).StatusCode);
            Assert.Equal(Capacity, await UnsettledAsync(server));
        }

        await SettleAsync(worker, Capacity);
        var status = await server.GetJsonAsync("/status");
        Assert.Equal((0, 0, Capacity + (3 * Batch), 0), (Number("queue"), Number("running"), Number("done"), Number("dead")));

        int Number(string name) => status.GetProperty(name).GetInt32();
    }

    private static async Task AssertRefusedAsync(TestServer server)
    {
        var refused = await server.PostAsync("/tasks", Tasks);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.Zero, $"{refused.Headers}");
        Assert.InRange(await UnsettledAsync(server), 1, Capacity);
    }

    private static async Task<int> UnsettledAsync(TestServer server)
    {
        var status = await server.GetJsonAsync("/status");
        return status.GetProperty("queue").GetInt32() + status.GetProperty("running").GetInt32();
    }

    private static async Task SettleAsync(MeshConnection worker, int count)
    {
        for (var i = 0; i < count; i++)
        {
            worker.TrySend(new GetTask(new WorkerId("w1")));
            var task = await worker.ReceiveAsync<NewTask>();
            worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Result = RawJson.Of(1) });
            await worker.ReceiveAsync<Ack>();
        }
    }
}
