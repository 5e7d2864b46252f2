using Mesh.Protocol;

namespace Mesh.Server.Sessions;

/// <summary>
/// How many messages of one connection are read in a second. For each task that a worker is given it has one status and one further get_task to send: that is work, not abuse,
/// however fast it is, and does not count.
/// </summary>
internal sealed class ReceiveRateLimiter(int most, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private long _began = time.GetTimestamp();
    private int _read;
    private int _allowance;

    /// <summary>A task is sent. On any thread.</summary>
    public void AddAllowance() => Interlocked.Add(ref _allowance, 2);

    /// <summary>The same as <see cref="GetDelay()"/> for a message, or for bad input, which is null.</summary>
    public TimeSpan GetDelay(MeshMessage? message)
    {
        if (message is GetTask or Protocol.TaskStatus && Volatile.Read(ref _allowance) > 0)
        {
            Interlocked.Decrement(ref _allowance);
            return TimeSpan.Zero;
        }

        return GetDelay();
    }

    /// <summary>Counts a message. How long to wait before the next one is read; zero as a rule.</summary>
    public TimeSpan GetDelay()
    {
        if (++_read < most)
        {
            return TimeSpan.Zero;
        }

        var taken = time.GetElapsedTime(_began);
        var wait = taken < Second ? Second - taken : TimeSpan.Zero;
        _began = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        _read = 0;
        return wait;
    }
}
