using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;

namespace Mesh.Server.Storage;

/// <summary>
/// Stores the state of this server and of the servers that it has adopted. All members throw <see cref="StoreUnavailableException"/> when the store cannot be reached.
/// </summary>
internal interface IMeshStore
{
    /// <summary>Acquires the lease of a server. When it succeeds, no other process can write the state of that server.</summary>
    /// <param name="server">This server, or a server to adopt.</param>
    /// <param name="self">The description of this process for other processes.</param>
    /// <param name="gone">The fencing token of a holder that is known to have ended. Its lease does not have to expire first.</param>
    Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken);

    /// <summary>Renews a lease that this process holds.</summary>
    /// <exception cref="ServerLeaseLostException">This server's own lease is lost.</exception>
    Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>Releases a lease, so that another process does not have to wait until it expires.</summary>
    Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>Loads the state of a server whose lease this process holds. Accepts the state of the store, even if acknowledged changes are missing.</summary>
    /// <exception cref="ServerLeaseLostException">This process does not hold the lease any more.</exception>
    Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a batch in one round trip, and in one more for each adopted server that it concerns. When it returns, the whole batch is stored, and <see cref="StoreBatch.DeadLetters"/>
    /// is set.
    /// </summary>
    /// <returns>
    /// The tasks that were not changed, by <see cref="TaskRecord.ExistingTaskKey"/>: keyed tasks that were already known, each with the task that the store has under its id, and
    /// dead letters to retry or to delete that do not exist and follow-ups of a task that was not unsettled any more, with null. Changes to an adopted server whose lease is lost are not written.
    /// </returns>
    /// <exception cref="ServerLeaseLostException">This server's own lease is lost. Nothing was written.</exception>
    /// <exception cref="StoreRolledBackException">The store has lost acknowledged changes. Nothing was written, and nothing will be written before the state is loaded.</exception>
    Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken);

    /// <summary>True while this process holds the lease of another server.</summary>
    bool HasAdopted { get; }

    /// <summary>Returns a settled task, done or dead, or null.</summary>
    Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken);

    /// <summary>Returns a page of dead letters, oldest first.</summary>
    /// <remarks>The next page needs no more time than the first one.</remarks>
    Task<DeadLetterPage> ReadDeadAsync(DeadLetterQuery query, CancellationToken cancellationToken);

    /// <summary>Returns the position of the last dead letter of each server that has one, in the order of <see cref="ReadDeadAsync"/>.</summary>
    Task<IReadOnlyList<DeadLetterCursor>> FindLastDeadAsync(CancellationToken cancellationToken);
}

/// <summary>Thrown when the store has lost the last changes that it had acknowledged to this process.</summary>
internal sealed class StoreRolledBackException() : Exception("The store has lost the last changes that it had acknowledged.");

/// <summary>Thrown when the store cannot be reached or does not answer. The outcome of a write is unknown.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
