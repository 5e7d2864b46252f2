namespace MeshAspire.Worker;

/// <summary>Fails an attempt and decides whether and when the task is tried again. A handler throws it for a failure that it expects, so it is not logged as an error.</summary>
public sealed class TaskFailedException : Exception
{
    /// <param name="message">The reason, which the server stores with the task.</param>
    /// <param name="mayRetry">False when no attempt can succeed. The task then becomes a dead letter at once.</param>
    /// <param name="retryAfter">The shortest time until the next attempt, up to 365 days. Null for the delay that the server or the task defines.</param>
    /// <param name="innerException">The cause, or null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative or longer than 365 days.</exception>
    public TaskFailedException(string message, bool mayRetry = true, TimeSpan? retryAfter = null, Exception? innerException = null)
        : base(message, innerException)
    {
        if (retryAfter is { } delay && (delay < TimeSpan.Zero || delay > Mesh.Protocol.ProtocolLimits.MaxRetryAfter))
        {
            throw new ArgumentOutOfRangeException(nameof(retryAfter), retryAfter, "The time is negative or longer than 365 days.");
        }

        (MayRetry, RetryAfter) = (mayRetry, retryAfter);
    }

    /// <summary>False when the task becomes a dead letter without another attempt.</summary>
    public bool MayRetry { get; }

    /// <summary>The shortest time until the next attempt, or null.</summary>
    public TimeSpan? RetryAfter { get; }
}
