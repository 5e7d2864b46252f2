namespace MeshAspire.Client;

/// <summary>The id, priority, time and limits of a task (docs/protocol.md, "Priority, time and attempts"). A null stands for the server's default.</summary>
public sealed record MeshTaskOptions
{
    /// <summary>
    /// The id of the task, its idempotency key: up to 128 bytes, no control characters, neither "." nor "..". Default: null, which means that the client generates one.
    /// A task with an id of the caller's is submitted to the primary server only, see <see cref="AllowFallback"/>.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>0 to 9, 9 first.</summary>
    public int? Priority { get; init; }

    /// <summary>The time before which the task is not run. Not together with <see cref="Delay"/>.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The time from the request before which the task is not run.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>The number of attempts before the task becomes a dead letter, 1 to 1,000.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>The time after which one attempt has failed.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The delays between attempts.</summary>
    public MeshRetryDelays? Retry { get; init; }

    /// <summary>
    /// The address of the only server to submit the task to. Default: null, which means the servers of the settings.
    /// <see cref="TaskOutcomeUnknownException.Tasks"/> has it, so that a repeated submission goes to the same server.
    /// </summary>
    public Uri? Server { get; init; }

    /// <summary>
    /// Whether a task with an <see cref="Id"/> may go to a fallback. An id is known at one server only: when this task is submitted again later and the primary server is back,
    /// it can run twice. Tasks without an id may always go to a fallback. Default: false.
    /// </summary>
    public bool AllowFallback { get; init; }
}

/// <summary>The delays between the attempts at a task.</summary>
/// <param name="Delay">The delay between the first and the second attempt.</param>
public sealed record MeshRetryDelays(TimeSpan Delay)
{
    /// <summary>The factor between one delay and the next, 1 to 100. Default of the server: 2.</summary>
    public double? Factor { get; init; }

    /// <summary>The longest delay. Default of the server: 10 minutes, or <see cref="Delay"/> if that is longer.</summary>
    public TimeSpan? MaxDelay { get; init; }
}
