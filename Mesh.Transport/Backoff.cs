namespace Mesh.Transport;

/// <summary>Exponential backoff: the delays between attempts after consecutive failures.</summary>
/// <param name="First">The delay after the first failure.</param>
/// <param name="Longest">The upper limit of all delays.</param>
/// <param name="Factor">The factor between one delay and the next, at least 1.</param>
public readonly record struct Backoff(TimeSpan First, TimeSpan Longest, double Factor = 2)
{
    /// <summary>Returns the delay before the next attempt.</summary>
    /// <param name="failures">The number of consecutive failures. 0 counts as 1.</param>
    public TimeSpan Delay(int failures)
    {
        if (First <= TimeSpan.Zero)
        {
            return TimeSpan.Zero;
        }

        // The power of a large number of failures is infinity, which is not less than the limit.
        var ticks = First.Ticks * Math.Pow(Factor, Math.Max(0, failures - 1));
        return ticks < Longest.Ticks ? TimeSpan.FromTicks((long)ticks) : Longest;
    }
}
