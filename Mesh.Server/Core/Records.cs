using System.Text.Json.Serialization;
using Mesh.Protocol;

namespace Mesh.Server.Core;

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

/// <summary>Which side of a loan this server is. Persisted: 0 is invalid.</summary>
internal enum LoanRole : byte
{
    Owner = 1,
    Borrower = 2,
}

/// <summary>The step a loan is at; the owner's and the borrower's steps are apart. Persisted: 0 is invalid.</summary>
internal enum LoanState : byte
{
    /// <summary>Owner: AVAILABLE was answered; REDIRECT waits for the worker's get_task.</summary>
    Offered = 1,

    /// <summary>Owner: REDIRECT was given.</summary>
    Lent = 2,

    /// <summary>Owner: RELEASE_ACK was answered; the worker is on its way home.</summary>
    Released = 3,

    /// <summary>Borrower: AVAILABLE names the worker; it has not arrived.</summary>
    Expected = 11,

    /// <summary>Borrower: the worker is here.</summary>
    Arrived = 12,

    /// <summary>Borrower: COMMAND_RELEASE is being sent, RELEASE_ACK awaited.</summary>
    Releasing = 13,

    /// <summary>Borrower: RELEASE_ACK came; RETURN waits for the worker's get_task.</summary>
    Returning = 14,

    /// <summary>Borrower: RETURN was given; RELEASE_COMPLETED awaited.</summary>
    Returned = 15,
}

/// <summary>One worker's loan as one side stores it. Immutable.</summary>
/// <param name="Peer">The other side.</param>
/// <param name="Since">When this side entered <paramref name="State"/>.</param>
/// <param name="Started">When this side learned of the loan.</param>
internal sealed record LoanRecord(
    WorkerId Worker, LoanRole Role, ServerId Peer, LoanState State, DateTimeOffset Since, DateTimeOffset Started)
{
    /// <summary>Owner: where the worker was sent.</summary>
    public MeshEndpoint? Borrower { get; init; }

    /// <summary>W3C trace context of the loan.</summary>
    public string? TraceParent { get; init; }

    /// <summary>W3C trace context of its return.</summary>
    public string? ReturnTraceParent { get; init; }
}

/// <summary>What a server finds in its store when it starts.</summary>
internal sealed record StoredState
{
    public static readonly StoredState Empty = new();

    /// <summary>Unsettled tasks, in any order.</summary>
    public IReadOnlyList<TaskRecord> Tasks { get; init; } = [];

    public IReadOnlyList<LoanRecord> Loans { get; init; } = [];

    /// <summary>Tasks done since the store was created.</summary>
    public long Done { get; init; }

    /// <summary>Dead letters in the store.</summary>
    public long Dead { get; init; }
}
