namespace Mesh.Server.Storage;

internal enum StoreEviction : byte
{
    /// <summary>The store refuses writes when it is full.</summary>
    None = 1,

    /// <summary>The store may delete keys of the mesh when it is full.</summary>
    Possible,

    /// <summary>The store does not permit reading the settings.</summary>
    Unknown,
}

internal enum StorePersistence : byte
{
    /// <summary>Each write goes to an append-only file.</summary>
    AppendOnlyFile = 1,

    /// <summary>The whole store is written to disk from time to time.</summary>
    Snapshots,

    /// <summary>Nothing is written to disk.</summary>
    None,

    /// <summary>The store does not permit reading the settings.</summary>
    Unknown,
}

/// <summary>Whether the store keeps acknowledged changes.</summary>
/// <param name="EvictionSettings">A description of the settings that lead to <paramref name="Eviction"/>. Empty unless keys may be deleted.</param>
internal readonly record struct StoreDurability(StoreEviction Eviction, string EvictionSettings, StorePersistence Persistence);

/// <summary>Reads the settings of the store that decide whether it keeps acknowledged changes.</summary>
internal interface IStoreDurabilityInspector
{
    /// <summary>Occurs when the connection is restored, or when another server has become the primary. The settings may have changed. Raised on any thread.</summary>
    event Action? Reconnected;

    /// <exception cref="StoreUnavailableException">The store cannot be reached.</exception>
    Task<StoreDurability> InspectAsync(CancellationToken cancellationToken);
}
