namespace Mesh.Server.Core;

/// <summary>Changes to the store, written together in order, and what follows once they are stored.</summary>
internal sealed class StoreBatch
{
    public List<StoreOp> Ops { get; } = [];
}

/// <summary>Gathers changes while a write is under way: group commit.</summary>
internal sealed class Journal
{
    private StoreBatch _open = new();

    /// <summary>Takes what has gathered, or null when there is nothing. One batch may be under way at a time.</summary>
    public StoreBatch? TryTake()
    {
        if (_open.Ops.Count == 0)
        {
            return null;
        }

        var batch = _open;
        _open = new StoreBatch();
        return batch;
    }
}
