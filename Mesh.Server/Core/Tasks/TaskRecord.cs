using System.Text.Json.Serialization;
using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>A task's life as the HTTP API tells it. Persisted: 0 is invalid.</summary>
internal enum TaskState : byte
{
    Queued = 1,
    Running = 2,
    Done = 3,
    Dead = 4,
}

/// <summary>A task as it is stored and told. Immutable.</summary>
/// <param name="Id">The id known to the client: its idempotency key, or the same as <paramref name="WireId"/>.</param>
/// <param name="WireId">TASK_ID, unique over all servers and all time; a retried dead letter gets a new one.</param>
/// <param name="Sequence">Order of acceptance at this server, over all its starts.</param>
internal sealed record TaskRecord(string Id, TaskId WireId, TaskType Type, string User, decimal? Amount, long Sequence)
{
    public TaskState State { get; init; } = TaskState.Queued;

    /// <summary>Attempts that ended without success, and the running or successful one.</summary>
    public int Attempts { get; init; }

    public decimal? Result { get; init; }

    public string? Error { get; init; }

    /// <summary>The worker of the last attempt.</summary>
    public WorkerId? Worker { get; init; }

    /// <summary>W3C trace context of the submission.</summary>
    public string? TraceParent { get; init; }

    /// <summary>W3C trace context of the first attempt, once that has ended without success.</summary>
    public string? FirstAttempt { get; init; }

    /// <summary>True when the client chose <see cref="Id"/>: a second submission of it is the same task.</summary>
    public bool Keyed { get; init; }

    /// <summary>The server whose store keeps it, for a task of a server that was adopted; null for one of this server.</summary>
    [JsonIgnore]
    public ServerId? StoredBy { get; init; }

    /// <summary>What the store calls it when it tells that it was known: client ids are unique at one server only.</summary>
    [JsonIgnore]
    public string ExistingTaskKey => StoredBy is null ? Id : WireId.Value;

    /// <summary>What a client would see differ in another task of the same id. The scale of an amount does not count: 12.5 is 12.50.</summary>
    public TaskFields DifferencesFrom(TaskRecord other) =>
        (Type == other.Type ? TaskFields.None : TaskFields.Type)
        | (User == other.User ? TaskFields.None : TaskFields.User)
        | (Amount == other.Amount ? TaskFields.None : TaskFields.Amount);
}
