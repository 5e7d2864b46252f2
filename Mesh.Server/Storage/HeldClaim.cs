namespace Mesh.Server.Storage;

/// <summary>A claim that this process has, and what it knows of the writes under it. One writer at a time; others may read.</summary>
internal sealed class HeldClaim(string epoch, byte[] holder)
{
    private long _written;
    private long _tried;

    public string Epoch { get; } = epoch;

    public byte[] Holder { get; } = holder;

    /// <summary>The number of the last write that was acknowledged: a store with a lower one has gone back.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>The number of the next try, above all before it: one whose outcome is unknown changes nothing once a later one has arrived.</summary>
    public long NextTry() => ++_tried;

    /// <summary>The store has gone back and was not loaded since: nothing may be written.</summary>
    public bool IsAhead { get; set; }

    public void Acknowledge(long number) => Volatile.Write(ref _written, number);

    /// <summary>The store is taken as it is.</summary>
    public void Restart(long written)
    {
        _tried = Math.Max(_tried, written);
        Volatile.Write(ref _written, written);
    }
}
