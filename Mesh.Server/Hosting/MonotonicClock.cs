namespace Mesh.Server.Hosting;

/// <summary>The wall clock as it was at the start plus the time elapsed since: it never jumps, whatever is done to the machine's clock.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _origin = time.GetTimestamp();

    public DateTimeOffset Now => _start + time.GetElapsedTime(_origin);
}
