using System.Net;
using System.Text.Json;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server;

namespace Mesh.Tests.Interop;

/// <summary>A plain Python line worker with a task type of its own, at one of our servers.</summary>
[Trait("Speed", "Slow")]
public sealed class PythonWorkerTests
{
    [Fact]
    public async Task Resize_LongerThanItsLease_ReportsProgressAndItsResult()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:LeaseTime", "00:00:01"));
        await using var worker = PythonWorker.Start("WORKER_py", "127.0.0.1", server.Endpoint.Port);
        var id = await server.SubmitAsync("""{"type":"RESIZE","payload":{"image":"cät.png","width":320,"steps":30}}""");

        await HangGuard.UntilAsync("progress", async () => await ProgressAsync(server, id) is > 0.1 and < 1);
        await server.TaskAsync(id, "done");

        var done = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal((1, "WORKER_py"), (done.GetProperty("attempts").GetInt32(), done.GetProperty("worker").GetString()));
        Assert.Equal(("cät.png", 5120), (done.GetProperty("result").GetProperty("image").GetString(), done.GetProperty("result").GetProperty("bytes").GetInt32()));
        Assert.Equal(0, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Resize_Cancelled_EndsAndTheWorkerTakesTheNextTask()
    {
        await using var server = await TestServer.StartAsync();
        await using var worker = PythonWorker.Start("WORKER_py", "127.0.0.1", server.Endpoint.Port);
        var id = await server.SubmitAsync("""{"type":"RESIZE","payload":{"image":"cat.png","width":320,"steps":100000}}""");
        await HangGuard.UntilAsync("progress", async () => await ProgressAsync(server, id) > 0);

        Assert.Equal(HttpStatusCode.Accepted, (await server.DeleteAsync($"/tasks/{id}")).StatusCode);

        await server.TaskAsync(id, "cancelled");
        var next = await server.SubmitAsync("""{"type":"RESIZE","payload":{"image":"dog.png","width":1,"steps":1}}""");
        await server.TaskAsync(next, "done");
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Resize_WithFurtherWidths_SubmitsThemWithItsResult()
    {
        await using var server = await TestServer.StartAsync();
        await using var worker = PythonWorker.Start("WORKER_py", "127.0.0.1", server.Endpoint.Port);

        var id = await server.SubmitAsync("""{"type":"RESIZE","payload":{"image":"cat.png","width":320,"steps":1,"further":[16,32]}}""");

        await server.TaskAsync(id, "done");
        await server.TaskAsync("cat.png-16", "done");
        await server.TaskAsync("cat.png-32", "done");
        var further = await server.GetJsonAsync("/tasks/cat.png-32");
        Assert.Equal(512, further.GetProperty("result").GetProperty("bytes").GetInt32());
        Assert.Equal((await server.GetJsonAsync($"/tasks/{id}")).GetProperty("traceId").GetString(), further.GetProperty("traceId").GetString());
    }

    private static async Task<double?> ProgressAsync(TestServer server, string id) =>
        (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("progress") is { ValueKind: JsonValueKind.Number } progress ? progress.GetDouble() : null;
}
