namespace MeshAspire.Worker;

/// <summary>The options of a task that a handler submits with its result (<see cref="TaskContext.AddFollowUp"/>). A property that is null has the server's default.</summary>
public sealed class FollowUpOptions
{
    /// <summary>The id of the task, up to 128 bytes. Default: derived from the parent's id, so that a parent that runs again submits the same tasks.</summary>
    public string? Id { get; set; }

    /// <summary>0 to 9, 9 first.</summary>
    public int? Priority { get; set; }

    /// <summary>The time from the result of the parent before which the task is not run.</summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>The time before which the task is not run. Instead of <see cref="Delay"/>.</summary>
    public DateTimeOffset? NotBefore { get; set; }

    /// <summary>The number of attempts before the task becomes a dead letter, 1 to 1000.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>The time after which one attempt has failed.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The delay between the first and the second attempt.</summary>
    public TimeSpan? RetryDelay { get; set; }

    /// <summary>The factor between one delay and the next, 1 to 100. Used with <see cref="RetryDelay"/>.</summary>
    public double? RetryFactor { get; set; }

    /// <summary>The longest delay between two attempts. Used with <see cref="RetryDelay"/>.</summary>
    public TimeSpan? RetryMaxDelay { get; set; }
}
