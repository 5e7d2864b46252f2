using Mesh.Transport;

namespace Mesh.Worker.Core;

/// <summary>How it goes with the server the worker is at: failures in a row, and when to try again.</summary>
internal sealed class ReconnectBackoff(WorkerTiming timing, Random random)
{
    private const double Jitter = 0.2;

    private TimeSpan _failingSince;

    /// <summary>In a row.</summary>
    public int Failures { get; private set; }

    /// <summary>The server is not tried before.</summary>
    public TimeSpan RetryAt { get; private set; }

    /// <summary>The server was heard. That it takes a connection is not enough: it may keep silent on it for ever.</summary>
    public void Reset()
    {
        Failures = 0;
        RetryAt = TimeSpan.Zero;
    }

    /// <summary>Counts a failure; the wait before the next try, with exponential backoff and jitter.</summary>
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

    /// <summary>The next try would come too late for a borrower.</summary>
    public bool IsBorrowerTimedOut => Failures > 0 && RetryAt - _failingSince >= timing.BorrowerTimeout;
}
