using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server;
using Mesh.Tests.Worker.Handlers;

namespace Mesh.Tests.Worker;

/// <summary>A worker with a handler of its own type at a server, over both framings: tasks that take longer than several leases, with progress and cancellation.</summary>
[Trait("Speed", "Slow")]
public sealed class LongWorkTests
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Task_LongerThanThreeLeases_ReportsProgressAndIsDoneInOneAttempt(string transport)
    {
        var handler = new SteppingHandler();
        await using var server = await StartServerAsync();
        await using var worker = await StartWorkerAsync(server, handler, transport);
        var started = Stopwatch.GetTimestamp();
        var id = await server.SubmitAsync("""{"type":"RESIZE","payload":{"width":320}}""");
        await HangGuard.UntilAsync("the attempt to start", () => Task.FromResult(handler.Attempt is not null));

        foreach (var progress in new[] { 0.25, 0.5, 0.75 })
        {
            handler.Attempt!.ReportProgress(progress);
            await HangGuard.UntilAsync($"the progress {progress}", async () => await ProgressAsync(server, id) == progress);
        }

        await HangGuard.UntilAsync("three leases to pass", () => Task.FromResult(Stopwatch.GetElapsedTime(started) > 3.5 * LeaseTime));
        handler.Release();

        await server.TaskAsync(id, "done");
        var done = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal((1, """{"width":320}"""), (done.GetProperty("attempts").GetInt32(), done.GetProperty("result").GetRawText()));
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Task_CancelledWhileItRuns_CancelsTheHandler(string transport)
    {
        var handler = new SteppingHandler();
        await using var server = await StartServerAsync();
        await using var worker = await StartWorkerAsync(server, handler, transport);
        var id = await server.SubmitAsync("""{"type":"RESIZE"}""");
        await HangGuard.UntilAsync("the attempt to start", () => Task.FromResult(handler.Attempt is not null));

        Assert.Equal(HttpStatusCode.Accepted, (await server.DeleteAsync($"/tasks/{id}")).StatusCode);

        await server.TaskAsync(id, "cancelled");
        Assert.Equal(1, handler.Cancellations);
        Assert.Equal("cancelled", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("error").GetString());
        handler.Release();
        await server.TaskAsync(await server.SubmitAsync("""{"type":"RESIZE"}"""), "done");
    }

    [Fact]
    public async Task Task_HandlerIgnoresItsCancellation_IsCancelledAfterALease()
    {
        var handler = new SteppingHandler(ignoresCancellation: true);
        await using var server = await StartServerAsync();
        await using var worker = await StartWorkerAsync(server, handler, "WebSocket", ("Mesh:Concurrency", "2"));
        var id = await server.SubmitAsync("""{"type":"RESIZE"}""");
        await HangGuard.UntilAsync("the attempt to start", () => Task.FromResult(handler.Attempt is not null));

        await server.DeleteAsync($"/tasks/{id}");

        await server.TaskAsync(id, "cancelled");
        handler.Release();
    }

    [Fact]
    public async Task Task_WithATimeout_FailsAlthoughItsWorkerReportsIt()
    {
        var handler = new SteppingHandler();
        await using var server = await StartServerAsync();
        await using var worker = await StartWorkerAsync(server, handler, "WebSocket");
        var id = await server.SubmitAsync("""{"type":"RESIZE","timeout":"00:00:01.5","maxAttempts":1}""");

        await HangGuard.UntilAsync("the handler to be cancelled", () => Task.FromResult(handler.Cancellations == 1));

        var task = await server.GetJsonAsync($"/tasks/{id}");
        Assert.Equal("the attempt ran longer than the timeout of 1.5 s", task.GetProperty("error").GetString());
    }

    private static Task<TestServer> StartServerAsync() => TestServer.StartAsync(("Mesh:ServerId", "SERVER_1"), ("Mesh:Tasks:LeaseTime", $"{LeaseTime}"));

    private static Task<WorkerHost> StartWorkerAsync(TestServer server, SteppingHandler handler, string transport, params (string, string)[] more) =>
        WorkerHost.StartAsync(server.Endpoint.ToString(), handler.AddTo, [("Mesh:Transport", transport), ("Mesh:RunningInterval", "00:00:00.100"), .. more]);

    private static async Task<double?> ProgressAsync(TestServer server, string id) =>
        (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("progress") is { ValueKind: JsonValueKind.Number } progress ? progress.GetDouble() : null;
}
