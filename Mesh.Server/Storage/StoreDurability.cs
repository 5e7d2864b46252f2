namespace Mesh.Server.Storage;

internal enum StoreEviction : byte
{
    /// <summary>The store refuses writes when it is full.</summary>
    None = 1,

    /// <summary>The store may delete keys of the mesh when it is full.</summary>
    Possible,

    /// <summary>The store does not permit to read it.</summary>
    Unknown,
}

internal enum StorePersistence : byte
{
    /// <summary>Each write goes to an append-only file.</summary>
    AppendOnlyFile = 1,

    /// <summary>The whole store is written to disk at times.</summary>
    Snapshots,

    /// <summary>Nothing is written to disk.</summary>
    None,

    /// <summary>The store does not permit to read it.</summary>
    Unknown,
}

/// <summary>Whether the store keeps what it has acknowledged.</summary>
/// <param name="EvictionSettings">The store's settings that decide on <paramref name="Eviction"/>, in words; empty unless keys may be deleted.</param>
internal readonly record struct StoreDurability(StoreEviction Eviction, string EvictionSettings, StorePersistence Persistence);

/// <summary>Reads the settings of the store that decide whether it keeps what it has acknowledged.</summary>
internal interface IStoreDurabilityInspector
{
    /// <summary>The connection was lost and is back, or another server has become the primary: the settings may be others. Raised on any thread.</summary>
    event Action? Reconnected;

    /// <exception cref="StoreUnavailableException">The store cannot be reached.</exception>
    Task<StoreDurability> InspectAsync(CancellationToken cancellationToken);
}
