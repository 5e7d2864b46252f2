using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Tests.Integration;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>docs/operations.md, "What to watch": mesh.tasks.adopted while a peer is down.</summary>
public sealed class AdoptedGaugeTests
{
    [Fact]
    public async Task Tasks_PeerStaysDown_AreMeasuredAsAdopted()
    {
        var place = new Storage.InMemoryNamespace();
        var down = new ServerId("server-b");
        var store = new Storage.InMemoryMeshStore(down, place);
        await Storage.StoreOperations.AcquireLeaseAsync(store, down, "gone", own: "server-b");
        var batch = new StoreBatch();
        batch.Ops.AddRange([StoreOp.Of(StoreOpKind.AcceptTask, Storage.StoreOperations.Task("t1")), StoreOp.Of(StoreOpKind.AcceptTask, Storage.StoreOperations.Task("t2", sequence: 2))]);
        await store.WriteAsync(batch, Storage.StoreOperations.Stop);
        await store.ReleaseLeaseAsync(down, Storage.StoreOperations.Stop);
        await using var server = await TestServer.StartAsync(
            new Storage.InMemoryMeshStore(new ServerId("server-a"), place),
            TimeProvider.System,
            ("Mesh:Peers:0:Id", "server-b"),
            ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"),
            ("Mesh:Timing:HeartbeatRetries", "0"),
            ("Mesh:Adoption:After", "00:00:00.1"));
        using var metrics = new RecordedMetrics(server);

        await Eventually.HoldsAsync(
            "two tasks are adopted",
            () =>
            {
                metrics.ReadGauges();
                return metrics.All.LastOrDefault(one => one.Name == "mesh.tasks.adopted") is { Value: 2 };
            },
            TimeSpan.FromSeconds(30));
    }
}
