namespace MeshAspire.Client.Http;

/// <summary>The last failure of each server in one operation, and how long each asked to wait.</summary>
internal sealed class ServerFailures(TimeProvider time)
{
    private readonly Dictionary<MeshServer, (Failure Failure, long At)> _last = [];

    public IReadOnlyList<Failure> Last => [.. _last.Values.Select(last => last.Failure)];

    public void Add(Failure failure) => _last[failure.Server] = (failure, time.GetTimestamp());

    public Failure LastOf(MeshServer server) => _last[server].Failure;

    /// <summary>Returns whether a server may be asked again.</summary>
    public bool IsDue(MeshServer server) => TimeLeft(server) == TimeSpan.Zero;

    /// <summary>Returns the time until the first server may be asked again, or a given one.</summary>
    public TimeSpan WaitTime(MeshServer? only) => only is null ? _last.Keys.Min(TimeLeft) : TimeLeft(only);

    private TimeSpan TimeLeft(MeshServer server)
    {
        var left = _last.TryGetValue(server, out var last) && last.Failure.RetryAfter is { } wait ? wait - time.GetElapsedTime(last.At) : TimeSpan.Zero;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
