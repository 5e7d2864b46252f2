using System.Text.Json;
using System.Text.Json.Serialization;

namespace MeshAspire.Client;

/// <summary>A task and its state, as a server returned it.</summary>
public sealed record MeshTask
{
    /// <summary>The id of the task.</summary>
    public required string Id { get; init; }

    /// <summary>The type of the task.</summary>
    public required string Type { get; init; }

    /// <summary>The state of the task.</summary>
    public required MeshTaskState State { get; init; }

    /// <summary>The account of a QUERY or UPDATE, or null.</summary>
    public string? User { get; init; }

    /// <summary>What an UPDATE adds, or null.</summary>
    public decimal? Amount { get; init; }

    /// <summary>The number of attempts that began.</summary>
    public int Attempts { get; init; }

    /// <summary>How much of the work is done, from 0 to 1, while the task runs and its worker reports it. Otherwise null.</summary>
    public double? Progress { get; init; }

    /// <summary>The output of the task, or null when there is none yet, or when it is the JSON value null.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>The error of the last failed attempt, or null.</summary>
    public string? Error { get; init; }

    /// <summary>The id of the worker that runs the task or ran it last, or null.</summary>
    public string? Worker { get; init; }

    /// <summary>The id of the task's trace, or null.</summary>
    public string? TraceId { get; init; }

    /// <summary>The time before which the task is not run, or null.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The address of the server that returned the task.</summary>
    [JsonIgnore]
    public Uri? Server { get; init; }

    /// <summary>Whether the task has reached its last state: done, dead or cancelled.</summary>
    [JsonIgnore]
    public bool IsSettled => State is MeshTaskState.Done or MeshTaskState.Dead or MeshTaskState.Cancelled;
}

/// <summary>The state of a task.</summary>
public enum MeshTaskState
{
    /// <summary>Not a state that a server returns.</summary>
    None,

    /// <summary>The task waits for its time or for the end of a retry delay.</summary>
    Scheduled,

    /// <summary>The task waits for a worker.</summary>
    Queued,

    /// <summary>A worker runs the task.</summary>
    Running,

    /// <summary>The task has succeeded.</summary>
    Done,

    /// <summary>The task is a dead letter: all its attempts have failed.</summary>
    Dead,

    /// <summary>The task was cancelled.</summary>
    Cancelled,
}
