using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;

namespace Mesh.Server.Storage;

/// <summary>
/// What of a server must survive, and of those servers that it has adopted. Every member throws <see cref="StoreUnavailableException"/> when the store cannot be reached.
/// </summary>
internal interface IMeshStore
{
    /// <summary>Takes the claim on a server's id: from here on nobody else can write its state.</summary>
    /// <param name="server">This server, or one to adopt.</param>
    /// <param name="self">What others are told.</param>
    /// <param name="gone">The epoch of a holder that is known to be gone, whose claim need not expire first.</param>
    Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken);

    /// <exception cref="ServerLeaseLostException">This server's own claim is lost.</exception>
    Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>Gives a claim up, so that another need not wait for its expiry.</summary>
    Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>All that is stored of a server whose claim this process has. From here on it counts, whatever was acknowledged before.</summary>
    /// <exception cref="ServerLeaseLostException">It has it no more.</exception>
    Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken);

    /// <summary>Writes a batch in one round trip, and one more for each adopted server that it concerns; when it returns, all of it is stored.</summary>
    /// <returns>
    /// By <see cref="TaskRecord.ExistingTaskKey"/>: keyed tasks that were known already, each with the task that the store has under its id, and tasks to revive that are not dead, with null;
    /// they were left as they were. Changes to an adopted server whose claim is lost are left out.
    /// </returns>
    /// <exception cref="ServerLeaseLostException">This server's own claim is lost; nothing was written.</exception>
    /// <exception cref="StoreRolledBackException">The store has lost what it had acknowledged; nothing was written, nor will be before it is loaded.</exception>
    Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken);

    /// <summary>True while this process has the claim of another server.</summary>
    bool HasAdopted { get; }

    /// <summary>A settled task, done or dead, or null.</summary>
    Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken);

    /// <summary>Dead letters, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListDeadAsync(int limit, CancellationToken cancellationToken);
}

/// <summary>The store has lost the last of what it had acknowledged to this process.</summary>
internal sealed class StoreRolledBackException() : Exception("The store has lost the last of what it had acknowledged.");

/// <summary>The store cannot be reached or does not answer; the outcome of a write is unknown.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
