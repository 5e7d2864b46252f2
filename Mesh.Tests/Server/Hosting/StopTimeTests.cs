using Mesh.Protocol;
using Mesh.Server.Hosting;
using Mesh.Tests.Server.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Hosting;

/// <summary>docs/operations.md, "A server's settings": how long a server that stops waits for tasks and for the store.</summary>
public sealed class StopTimeTests
{
    private const int NotDrained = 1102;
    private const int NotFlushed = 1103;
    private const int StoreUnavailable = 1203;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(7);

    [Fact]
    public async Task Stop_TaskDoesNotEnd_IsLeftInTheStoreAfterTheStopTimeout()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, ("Mesh:StopTimeout", $"{StopTimeout}"));
        using var log = new RecordedLog(server, 1101, NotDrained, NotFlushed);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await worker.ReceiveAsync<NewTask>();

        var waited = await StopAsync(server, time);

        Assert.InRange(waited, StopTimeout, StopTimeout + MeshServerService.FlushTimeout);
        Assert.Equal([1101, NotDrained], log.Lines.Select(line => line.Id));
        Assert.Equal(id, Assert.Single((await server.Store.LoadAsync(new ServerId("server-a"), TestContext.Current.CancellationToken)).Tasks).Id);
    }

    [Fact]
    public async Task Stop_StoreStaysUnavailable_EndsAfterTheWriteTimeout()
    {
        var time = new FakeTimeProvider();
        var store = new Storage.InMemoryMeshStore();
        await using var server = await TestServer.StartAsync(store, time, ("Mesh:StopTimeout", $"{StopTimeout}"));
        using var log = new RecordedLog(server, NotFlushed, StoreUnavailable);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        var task = await worker.ReceiveAsync<NewTask>();
        store.IsUnavailable = true;
        worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id });
        await log.LineAsync(StoreUnavailable);

        var waited = await StopAsync(server, time);

        Assert.InRange(waited, MeshServerService.FlushTimeout, StopTimeout + MeshServerService.FlushTimeout + TimeSpan.FromSeconds(1));
        Assert.Contains(log.Lines, line => line.Id == NotFlushed);
    }

    [Fact]
    public async Task Host_ServerStops_WaitsTenSecondsLongerThanTheStopTimeout()
    {
        await using var server = await TestServer.StartAsync(("Mesh:StopTimeout", $"{StopTimeout}"));

        Assert.Equal(StopTimeout + TimeSpan.FromSeconds(10), server.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    /// <summary>Stops the server, and returns how much virtual time passes until it has stopped.</summary>
    private static async Task<TimeSpan> StopAsync(TestServer server, FakeTimeProvider time)
    {
        var (began, stopping) = (time.GetUtcNow(), server.StopAsync());
        while (!stopping.IsCompleted)
        {
            await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken));
            time.Advance(TimeSpan.FromMilliseconds(100));
        }

        await stopping;
        return time.GetUtcNow() - began;
    }
}
