using Mesh.Server.Core.Schedules;

namespace Mesh.Server.Core.Tasks;

/// <summary>The outcome of a <see cref="Submission"/>, with the HTTP status that the client receives.</summary>
internal enum SubmitOutcome : byte
{
    /// <summary>202: the tasks are stored.</summary>
    Accepted = 1,

    /// <summary>429: the unsettled tasks would exceed the capacity.</summary>
    Full,

    /// <summary>413: the submission alone exceeds the capacity and can never be accepted.</summary>
    TooMany,

    /// <summary>503: the store is unavailable. No task was accepted.</summary>
    StoreUnavailable,

    /// <summary>503: the store may lose acknowledged writes. No task was accepted.</summary>
    StoreNotDurable,

    /// <summary>
    /// 503: the write failed, or the server stopped during the write. Some or all of the tasks may be stored. They run if the server stops before it removes them.
    /// </summary>
    Unknown,

    /// <summary>503: this server is stopping.</summary>
    Stopping,

    /// <summary>503: an operator paused this server. No task was accepted.</summary>
    Paused,

    /// <summary>409: the task to retry is not a dead letter.</summary>
    NotDead,

    /// <summary>409: the id of one task belongs to a task with different fields, which <see cref="Submission.Conflict"/> describes. No task was accepted.</summary>
    Conflict,

    /// <summary>429: the server has as many schedules as its settings allow.</summary>
    TooManySchedules,

    /// <summary>404: there is no schedule with the name.</summary>
    NoSchedule,
}

/// <summary>The fields of a submitted task besides its id.</summary>
[Flags]
internal enum TaskFields : byte
{
    None = 0,
    Type = 1,
    User = 2,
    Amount = 4,
    Payload = 8,
    Priority = 16,
    MaxAttempts = 32,
    Timeout = 64,
    Retry = 128,
}

/// <summary>A submitted task whose id belongs to a task with different fields.</summary>
/// <param name="Index">The index of the task in the submission.</param>
/// <param name="Fields">The different fields.</param>
internal sealed record TaskConflict(int Index, TaskFields Fields);

/// <summary>Submitted tasks. Either all of them are accepted or none.</summary>
internal class Submission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry = false)
{
    /// <summary>The tasks. The core replaces their sequence numbers.</summary>
    public IReadOnlyList<TaskRecord> Tasks { get; } = tasks;

    /// <summary>True when the tasks are dead letters to retry.</summary>
    public bool IsDeadLetterRetry { get; } = isDeadLetterRetry;

    /// <summary>
    /// Settled tasks of adopted servers that have the same ids as tasks of this submission with an idempotency key, by id. Null when there are none.
    /// </summary>
    public IReadOnlyDictionary<string, TaskRecord>? Settled { get; init; }

    /// <summary>The change of a schedule, or null. A submission with such a change has no tasks.</summary>
    public ScheduleChange? Schedule { get; init; }

    /// <summary>True when the tasks are dead letters to delete.</summary>
    public bool IsDeadLetterDeletion { get; init; }

    /// <summary>The number of dead letters that were retried or deleted. The others did not exist any more.</summary>
    public int Count { get; set; }

    /// <summary>The conflict when the outcome is <see cref="SubmitOutcome.Conflict"/>, else null.</summary>
    public TaskConflict? Conflict { get; set; }
}
