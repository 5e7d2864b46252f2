namespace MeshAspire.Client.Http;

/// <summary>The retries that one operation has left. It begins with its first request.</summary>
internal sealed class RetryBudget(MeshClientSettings settings, TimeProvider time, Func<double> random)
{
    private long _began = time.GetTimestamp();

    /// <summary>The number of retries so far.</summary>
    public int Retries { get; private set; }

    /// <summary>Begins again, after an answer that shows that the servers work.</summary>
    public void Reset()
    {
        _began = time.GetTimestamp();
        Retries = 0;
    }

    /// <summary>Waits before the next retry. Returns false at once when none is left.</summary>
    /// <param name="retryAfter">How long the servers ask to wait, or null.</param>
    public async ValueTask<bool> WaitAsync(TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        var delay = settings.RetryDelay * Math.Min(Math.Pow(2, Retries), settings.MaxRetryDelay / settings.RetryDelay);

        // Clients that failed together do not come back together.
        delay *= 0.5 + (0.5 * random());
        delay = retryAfter > delay ? retryAfter.Value : delay;
        if (Retries >= settings.RetryLimit || time.GetElapsedTime(_began) + delay >= settings.OperationTimeout)
        {
            return false;
        }

        Retries++;
        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
