namespace MeshAspire.Client.Http;

/// <summary>A server, and whether it could be connected to lately.</summary>
internal sealed class MeshServer(Uri address, TimeProvider time)
{
    /// <summary>The timestamp of the last failure to connect, or 0.</summary>
    private long _failedAt;

    /// <summary>The address with a slash at its end, so that paths are relative to it.</summary>
    public Uri Address { get; } = address;

    /// <summary>Adds the slash to an address.</summary>
    public static Uri Normalize(Uri address) => address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");

    /// <summary>Returns whether no failure to connect happened within the given time.</summary>
    public bool IsReachable(TimeSpan within) => Volatile.Read(ref _failedAt) is var failedAt && (failedAt == 0 || time.GetElapsedTime(failedAt) >= within);

    public void ConnectionFailed() => Volatile.Write(ref _failedAt, Math.Max(time.GetTimestamp(), 1));

    public void Connected() => Volatile.Write(ref _failedAt, 0);

    public override string ToString() => Address.AbsoluteUri.TrimEnd('/');
}
