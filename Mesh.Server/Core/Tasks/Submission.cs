namespace Mesh.Server.Core.Tasks;

internal enum SubmitOutcome : byte
{
    /// <summary>Stored: 202.</summary>
    Accepted = 1,

    /// <summary>More unsettled tasks than the capacity: 429.</summary>
    Full,

    /// <summary>More tasks at once than the capacity, so that they would never be accepted: 413.</summary>
    TooMany,

    /// <summary>The store cannot be written: 503. Nothing was accepted.</summary>
    StoreUnavailable,

    /// <summary>The store may lose what it acknowledges: 503. Nothing was accepted.</summary>
    StoreNotDurable,

    /// <summary>The write of the tasks failed, or the server ended amid it: 503. Some or all of them may be stored, and run if the server ends before it removes them.</summary>
    Unknown,

    /// <summary>This server is stopping: 503.</summary>
    Stopping,

    /// <summary>An operator has paused this server: 503. Nothing was accepted.</summary>
    Paused,

    /// <summary>A retry of a task that is not a dead letter (any more): 409.</summary>
    NotDead,

    /// <summary>The id of one of the tasks belongs to a task with other contents: 409. Nothing was accepted. <see cref="Submission.Conflict"/> has the difference.</summary>
    Conflict,
}

/// <summary>What a client says of a task besides its id.</summary>
[Flags]
internal enum TaskFields : byte
{
    None = 0,
    Type = 1,
    User = 2,
    Amount = 4,
}

/// <summary>A submitted task whose id belongs to a task with other contents.</summary>
/// <param name="Index">Its place in the submission.</param>
/// <param name="Fields">What differs.</param>
internal sealed record TaskConflict(int Index, TaskFields Fields);

/// <summary>Tasks that are accepted together or not at all.</summary>
internal class Submission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry = false)
{
    /// <summary>The tasks, with any sequence: the core numbers them.</summary>
    public IReadOnlyList<TaskRecord> Tasks { get; } = tasks;

    /// <summary>True for a retry of dead letters.</summary>
    public bool IsDeadLetterRetry { get; } = isDeadLetterRetry;

    /// <summary>Tasks that have the ids of keyed tasks here, of those that this server keeps for others and does not hold in memory any more; null for none.</summary>
    public IReadOnlyDictionary<string, TaskRecord>? Settled { get; init; }

    /// <summary>Set with <see cref="SubmitOutcome.Conflict"/>.</summary>
    public TaskConflict? Conflict { get; set; }
}
