using System.Text;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server;

namespace Mesh.Tests.Worker;

/// <summary>A worker with the highest concurrency.</summary>
[Trait("Speed", "Slow")]
public sealed class ManySlotsTests
{
    private const int Tasks = 20_000;

    [Fact]
    public async Task Worker_MaximumConcurrency_CompletesALongQueueOnOneConnection()
    {
        // All of its slots wait for tasks, so 1024 tasks are sent at once: twice the number that may be queued for a peer that does not read.
        await using var server = await TestServer.StartAsync(("Mesh:ServerId", "SERVER_1"), ("Mesh:Sessions:OutboxCapacity", "512"));
        await using var worker = await WorkerHost.StartAsync(server.Endpoint.ToString(), handlers => handlers.AddHandler<object?, int>("QUERY", (_, _) => Task.FromResult(1)), ("Mesh:Concurrency", "1024"));
        await HangGuard.UntilAsync("the worker to connect", async () => (await server.GetJsonAsync("/status")).GetProperty("workers").GetArrayLength() == 1);

        var queue = new StringBuilder("[").AppendJoin(",", Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", Tasks)).Append(']');
        (await server.PostAsync("/tasks", queue.ToString())).EnsureSuccessStatusCode();
        await HangGuard.UntilAsync("all tasks to be done", async () => (await server.GetJsonAsync("/status")).GetProperty("done").GetInt64() == Tasks);

        Assert.Equal(2, TestContext.Current.TestOutputHelper!.Output.Split(" is at home with ").Length);
    }
}
