using System.Text;
using Mesh.Protocol;
using Mesh.Tests.Server;
using Mesh.Worker.Handlers;

namespace Mesh.Tests.Worker;

/// <summary>A worker that does as many tasks at a time as it may.</summary>
public sealed class ManySlotsTests
{
    private const int Tasks = 20_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Worker_OfTheMostSlots_DoesALongQueueOnOneConnection()
    {
        await using var server = await ServerUnderTest.StartAsync(("Mesh:ServerId", "SERVER_1"));
        var queue = new StringBuilder("[").AppendJoin(",", Enumerable.Repeat("""{"type":"QUERY","user":"maria"}""", Tasks)).Append(']');
        (await server.PostAsync("/tasks", queue.ToString())).EnsureSuccessStatusCode();

        await using var worker = await WorkerHost.StartAsync(server.Endpoint.ToString(), new InstantHandler(), ("Mesh:Concurrency", "1024"));

        using var limit = new CancellationTokenSource(Limit);
        while ((await server.GetJsonAsync("/status")).GetProperty("done").GetInt64() is var done && done < Tasks)
        {
            Assert.False(limit.IsCancellationRequested, $"Waited for {Tasks} tasks, {done} were done.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(2, TestContext.Current.TestOutputHelper!.Output.Split(" is at home with ").Length);
    }

    private sealed class InstantHandler : ITaskHandler
    {
        public TaskType Type => TaskType.Query;

        public ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation) => new(HandlerResult.Done(1));
    }
}
