using Mesh.Transport;

namespace MeshAspire.Worker.Core;

/// <summary>Tracks consecutive connection failures of the current server and the time of the next attempt.</summary>
internal sealed class ReconnectBackoff(WorkerTiming timing, Random random)
{
    private const double Jitter = 0.2;

    private TimeSpan _failingSince;

    /// <summary>The number of consecutive failures.</summary>
    public int Failures { get; private set; }

    /// <summary>The server is not contacted before this time.</summary>
    public TimeSpan RetryAt { get; private set; }

    /// <summary>Called when a message of the server arrives. An accepted connection does not reset the failures, because the server may never answer on it.</summary>
    public void Reset()
    {
        Failures = 0;
        RetryAt = TimeSpan.Zero;
    }

    /// <summary>Counts a failure and returns the delay before the next attempt, with exponential backoff and 20 % jitter.</summary>
    public TimeSpan RecordFailure(TimeSpan now)
    {
        if (Failures++ == 0)
        {
            _failingSince = now;
        }

        var wait = new Backoff(timing.RetryMin, timing.RetryMax).Delay(Failures).Ticks;
        var delay = TimeSpan.FromTicks((long)(wait * (1 - Jitter + (2 * Jitter * random.NextDouble()))));
        RetryAt = now + delay;
        return delay;
    }

    /// <summary>Whether the next attempt would be later than <see cref="WorkerTiming.BorrowerTimeout"/> after the first failure. A worker that is lent then returns to its home.</summary>
    public bool IsBorrowerTimedOut => Failures > 0 && RetryAt - _failingSince >= timing.BorrowerTimeout;
}
