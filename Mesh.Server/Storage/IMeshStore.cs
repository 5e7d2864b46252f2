using Mesh.Server.Core;

namespace Mesh.Server.Storage;

/// <summary>What of a server must survive. Every member throws <see cref="StoreAwayException"/> when the store cannot be reached.</summary>
internal interface IMeshStore
{
    Task<StoredState> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Writes a batch in one round trip; when it returns, all of it is stored.</summary>
    /// <returns>Ids of keyed tasks that were known already and of tasks to revive that are not dead, which were left as they were.</returns>
    Task<IReadOnlySet<string>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken);

    /// <summary>A settled task, done or dead, or null.</summary>
    Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken);

    /// <summary>Dead letters, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListDeadAsync(int limit, CancellationToken cancellationToken);
}

/// <summary>The store cannot be reached or does not answer; the outcome of a write is unknown.</summary>
internal sealed class StoreAwayException(string message, Exception inner) : Exception(message, inner);
