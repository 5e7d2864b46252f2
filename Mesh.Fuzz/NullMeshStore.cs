using System.Collections.Frozen;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;

namespace Mesh.Fuzz;

/// <summary>A store that accepts all writes and keeps no data, so that the measured memory is that of the server.</summary>
internal sealed class NullMeshStore : IMeshStore
{
    public bool HasAdopted => false;

    public Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken) =>
        Task.FromResult(new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Acquired));

    public Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken) => Task.FromResult(ServerLeaseRenewStatus.Held);

    public Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken) => Task.FromResult(StoredState.Empty);

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, TaskRecord?>>(FrozenDictionary<string, TaskRecord?>.Empty);

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) => Task.FromResult<TaskRecord?>(null);

    public Task<DeadLetterPage> ReadDeadAsync(DeadLetterQuery query, CancellationToken cancellationToken) => Task.FromResult(new DeadLetterPage([], Next: null));

    public Task<IReadOnlyList<DeadLetterCursor>> FindLastDeadAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<DeadLetterCursor>>([]);
}

/// <summary>A ledger without accounts.</summary>
internal sealed class NullLedger : ILedger
{
    public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default) => new((decimal?)null);

    public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default) => new(true);

    public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default) =>
        new(new LedgerUpdate(LedgerOutcome.UnknownUser));

    public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default) => new(new LedgerUpdate(LedgerOutcome.Closed));

    public void Settled(string user, TaskId task)
    {
    }
}
