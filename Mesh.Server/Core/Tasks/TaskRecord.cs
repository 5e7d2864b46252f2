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
}

/// <summary>A task as it is stored and returned by the HTTP API. Immutable.</summary>
/// <param name="Id">The client id: the idempotency key of the client, or the same as <paramref name="WireId"/>.</param>
/// <param name="WireId">The TASK_ID, which is unique over all servers and times. A retried dead letter gets a new one.</param>
/// <param name="Sequence">The number of the task in the order of acceptance. It also increases over restarts of the server.</param>
internal sealed record TaskRecord(string Id, TaskId WireId, TaskType Type, string User, decimal? Amount, long Sequence)
{
    public TaskState State { get; init; } = TaskState.Queued;

    /// <summary>The number of counted attempts, including the running one.</summary>
    public int Attempts { get; init; }

    public decimal? Result { get; init; }

    public string? Error { get; init; }

    /// <summary>The worker of the last attempt.</summary>
    public WorkerId? Worker { get; init; }

    /// <summary>The W3C trace context of the submission.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The W3C trace context of the first attempt, set when that attempt has failed.</summary>
    public string? FirstAttempt { get; init; }

    /// <summary>True when <see cref="Id"/> is an idempotency key of the client. A second submission with the same key is the same task.</summary>
    public bool Keyed { get; init; }

    /// <summary>The adopted server in whose part of the store the task is kept, or null for a task of this server.</summary>
    [JsonIgnore]
    public ServerId? StoredBy { get; init; }

    /// <summary>The key of this task among the existing tasks that the store returns for a batch. Client ids are unique at one server only, so tasks of adopted servers use the TASK_ID.</summary>
    [JsonIgnore]
    public string ExistingTaskKey => StoredBy is null ? Id : WireId.Value;

    /// <summary>Returns the fields in which a task with the same id differs. Amounts are compared by value: 12.5 equals 12.50.</summary>
    public TaskFields DifferencesFrom(TaskRecord other) =>
        (Type == other.Type ? TaskFields.None : TaskFields.Type)
        | (User == other.User ? TaskFields.None : TaskFields.User)
        | (Amount == other.Amount ? TaskFields.None : TaskFields.Amount);
}
