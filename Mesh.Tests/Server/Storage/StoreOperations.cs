using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;

namespace Mesh.Tests.Server.Storage;

/// <summary>Steps that the tests of stores share.</summary>
internal static class StoreOperations
{
    public static readonly ServerId Self = new("server-a");

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static ServerLeaseHolder Holder(string instance, string server = "server-a") => new(new ServerId(server), instance, "127.0.0.1:9001", Process: null);

    public static async Task AcquireLeaseAsync(IMeshStore store, ServerId server, string instance, string own = "server-a") =>
        Assert.Equal(ServerLeaseAcquireStatus.Acquired, (await store.AcquireLeaseAsync(server, Holder(instance, own), gone: null, Stop)).Result);

    public static TaskRecord Task(string id, long sequence = 1) => new(id, new TaskId(id), TaskType.Query, "maria", Amount: null, sequence);

    public static TaskRecord Keyed(string id, string wireId) =>
        new(id, new TaskId(wireId), TaskType.Query, "maria", Amount: null, Sequence: 1) { Keyed = true };

    /// <summary>Writes changes, and returns the ids that were known.</summary>
    public static async Task<IEnumerable<string>> WriteAsync(IMeshStore store, params StoreOp[] ops) => (await WriteKnownAsync(store, ops)).Keys;

    /// <summary>Writes changes, and returns the tasks that were known.</summary>
    public static Task<IReadOnlyDictionary<string, TaskRecord?>> WriteKnownAsync(IMeshStore store, params StoreOp[] ops) => store.WriteAsync(Batch(ops), Stop);

    public static StoreBatch Batch(params StoreOp[] ops)
    {
        var batch = new StoreBatch();
        batch.Ops.AddRange(ops);
        return batch;
    }
}
