namespace Mesh.Server.Storage;

/// <summary>A claim that this process has, and what it knows of the writes under it. One writer at a time; others may read.</summary>
internal sealed class HeldServerLease(string fencingToken, byte[] holder)
{
    private long _lastWriteNumber;
    private long _lastTriedNumber;

    public string FencingToken { get; } = fencingToken;

    public byte[] Holder { get; } = holder;

    /// <summary>The number of the last write that was acknowledged: a store with a lower one has gone back.</summary>
    public long LastWriteNumber => Volatile.Read(ref _lastWriteNumber);

    /// <summary>The number of the next try, above all before it: one whose outcome is unknown changes nothing once a later one has arrived.</summary>
    public long NextWriteNumber() => ++_lastTriedNumber;

    /// <summary>The store has gone back and was not loaded since: nothing may be written.</summary>
    public bool MustReload { get; set; }

    public void Acknowledge(long number) => Volatile.Write(ref _lastWriteNumber, number);

    /// <summary>The store is taken as it is.</summary>
    public void ResetTo(long written)
    {
        _lastTriedNumber = Math.Max(_lastTriedNumber, written);
        Volatile.Write(ref _lastWriteNumber, written);
    }
}
