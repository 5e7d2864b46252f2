using Mesh.Protocol;
using Mesh.Tests.Server.Storage;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

public sealed class DeadLetterOrderTests
{
    private readonly InMemoryMeshStore _store = new();

    [Fact]
    public async Task List_DeadLettersOfSeveralStarts_IsOldestFirst()
    {
        await StartAndFailAsync("c", "a");
        await StartAndFailAsync("d", "b");

        await using var server = await StartAsync();
        var dead = await server.GetJsonAsync("/tasks?state=dead");
        Assert.Equal(["c", "a", "d", "b"], dead.EnumerateArray().Select(task => task.GetProperty("id").GetString()));
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(_store, TimeProvider.System, ("Mesh:Tasks:MaxAttempts", "1"));

    private async Task StartAndFailAsync(params string[] ids)
    {
        await using var server = await StartAsync();
        await using var worker = await server.DialAsync(Framing.WebSocket);
        foreach (var id in ids)
        {
            await server.SubmitAsync($$"""{"type":"QUERY","user":"maria","id":"{{id}}"}""");
            worker.TrySend(new GetTask(new WorkerId("w1")));
            var task = await worker.ReceiveAsync<NewTask>();
            worker.TrySend(new TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = task.Id, Error = "no such user" });
            await worker.ReceiveAsync<Ack>();
        }

        await server.StopAsync();
    }
}
