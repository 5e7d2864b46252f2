namespace Mesh.Server.Hosting;

/// <summary>The wall clock at the start plus the elapsed time. It does not change when the clock of the machine is set.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _origin = time.GetTimestamp();

    public DateTimeOffset Now => _start + time.GetElapsedTime(_origin);
}
