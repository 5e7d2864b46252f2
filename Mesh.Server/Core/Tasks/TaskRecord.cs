using System.Text.Json.Serialization;
using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>The state of a task in the HTTP API and in the store. 0 is invalid.</summary>
internal enum TaskState : byte
{
    Queued = 1,
    Running = 2,
    Done = 3,
    Dead = 4,
    Cancelled = 5,

    /// <summary>Waits for its <see cref="TaskRecord.NotBefore"/>. Not stored: an unsettled task is stored as queued.</summary>
    Scheduled = 6,
}

/// <summary>A task as it is stored and returned by the HTTP API. Immutable.</summary>
/// <param name="Id">The client id: the idempotency key of the client, or the same as <paramref name="WireId"/>.</param>
/// <param name="WireId">The TASK_ID, which is unique over all servers and times. A retried dead letter gets a new one.</param>
/// <param name="User">The account of a QUERY or UPDATE. Null for other types.</param>
/// <param name="Amount">The amount that an UPDATE adds. Null for other types.</param>
/// <param name="Sequence">The number of the task in the order of acceptance. It also increases over restarts of the server.</param>
internal sealed record TaskRecord(string Id, TaskId WireId, TaskType Type, string? User, decimal? Amount, long Sequence)
{
    // Absent values as defaults: a nullable struct takes eight bytes more, in each queued task.
    private readonly RawJson _payload;
    private readonly RawJson _result;
    private readonly WorkerId _worker;
    private readonly ServerId _storedBy;
    private readonly DateTimeOffset _notBefore;
    private readonly double _progress = double.NaN;

    // One string for both ids, also after the record was read from the store.
    public string Id { get; init; } = Id == WireId.Value ? WireId.Value : Id;

    /// <summary>The highest <see cref="Priority"/>.</summary>
    public const byte MaxPriority = 9;

    /// <summary>The <see cref="Priority"/> of a task that names none.</summary>
    public const byte DefaultPriority = 4;

    /// <summary>The input of a task of another type than QUERY and UPDATE, or null.</summary>
    public RawJson? Payload { get => _payload.Length > 0 ? _payload : null; init => _payload = value.GetValueOrDefault(); }

    /// <summary>The priority, from 0 to <see cref="MaxPriority"/>, which comes first. Null is <see cref="DefaultPriority"/>.</summary>
    public byte? Priority { get; init; }

    /// <summary>The time before which the task is not dispatched, or null.</summary>
    public DateTimeOffset? NotBefore { get => _notBefore == default ? null : _notBefore; init => _notBefore = value.GetValueOrDefault(); }

    /// <summary>The limits of this task that replace those of the settings, or null.</summary>
    public TaskLimits? Limits { get; init; }

    /// <summary>True when a client has cancelled the task while it was running. No attempt follows the running one.</summary>
    public bool? IsCancelRequested { get; init; }

    public TaskState State { get; init; } = TaskState.Queued;

    /// <summary>The number of counted attempts, including the running one.</summary>
    public int Attempts { get; init; }

    /// <summary>The output of the task. For QUERY and UPDATE the balance.</summary>
    public RawJson? Result { get => _result.Length > 0 ? _result : null; init => _result = value.GetValueOrDefault(); }

    public string? Error { get; init; }

    /// <summary>The worker of the last attempt.</summary>
    public WorkerId? Worker { get => _worker.Value is null ? null : _worker; init => _worker = value.GetValueOrDefault(); }

    /// <summary>The W3C trace context of the submission.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The W3C trace context of the first attempt, set when that attempt has failed.</summary>
    public string? FirstAttempt { get; init; }

    /// <summary>True when <see cref="Id"/> is an idempotency key of the client. A second submission with the same key is the same task.</summary>
    public bool Keyed { get; init; }

    /// <summary>The part of a running attempt that is done, from 0 to 1, or null when the worker does not report it. Not stored.</summary>
    [JsonIgnore]
    public double? Progress { get => double.IsNaN(_progress) ? null : _progress; init => _progress = value ?? double.NaN; }

    /// <summary>The adopted server in whose part of the store the task is kept, or null for a task of this server.</summary>
    [JsonIgnore]
    public ServerId? StoredBy { get => _storedBy.Value is null ? null : _storedBy; init => _storedBy = value.GetValueOrDefault(); }

    /// <summary>The key of this task among the existing tasks that the store returns for a batch. Client ids are unique at one server only, so tasks of adopted servers use the TASK_ID.</summary>
    [JsonIgnore]
    public string ExistingTaskKey => StoredBy is null ? Id : WireId.Value;

    /// <summary>True when the ledger must reject further attempts before the task is given up, because an attempt may have changed a balance.</summary>
    [JsonIgnore]
    public bool ChangesBalance => Type == TaskType.Update;

    /// <summary>
    /// Returns the fields in which a task with the same id differs. Amounts are compared by value: 12.5 equals 12.50. <see cref="NotBefore"/> is not compared, because the same
    /// delay is another time in each submission.
    /// </summary>
    public TaskFields DifferencesFrom(TaskRecord other) =>
        (Type == other.Type ? TaskFields.None : TaskFields.Type)
        | (User == other.User ? TaskFields.None : TaskFields.User)
        | (Amount == other.Amount ? TaskFields.None : TaskFields.Amount)
        | (Payload == other.Payload ? TaskFields.None : TaskFields.Payload)
        | ((Priority ?? DefaultPriority) == (other.Priority ?? DefaultPriority) ? TaskFields.None : TaskFields.Priority)
        | (Limits?.MaxAttempts == other.Limits?.MaxAttempts ? TaskFields.None : TaskFields.MaxAttempts)
        | (Limits?.Timeout == other.Limits?.Timeout ? TaskFields.None : TaskFields.Timeout)
        | (Limits?.Retry == other.Limits?.Retry ? TaskFields.None : TaskFields.Retry);
}

/// <summary>Limits of one task. A null stands for the value of the settings.</summary>
/// <param name="MaxAttempts">The number of attempts before the task becomes a dead letter.</param>
/// <param name="Timeout">The time after which an attempt has failed, also while its worker reports that it goes on. Null is no limit.</param>
/// <param name="Retry">The delays between attempts.</param>
internal sealed record TaskLimits(int? MaxAttempts, TimeSpan? Timeout, RetryDelays? Retry);

/// <summary>The delays between the attempts at one task.</summary>
/// <param name="Delay">The delay between the first and the second attempt.</param>
/// <param name="Factor">The factor between one delay and the next.</param>
/// <param name="MaxDelay">The longest delay.</param>
internal sealed record RetryDelays(TimeSpan Delay, double Factor, TimeSpan MaxDelay)
{
    public const double DefaultFactor = 2;

    /// <summary>The <see cref="MaxDelay"/> of a task that names none, unless its delay is longer.</summary>
    public static readonly TimeSpan DefaultMaxDelay = TimeSpan.FromMinutes(10);
}
