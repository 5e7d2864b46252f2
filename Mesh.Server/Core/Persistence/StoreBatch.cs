using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

internal enum StoreContinuationKind : byte
{
    /// <summary>A submission's tasks are stored: queue them and answer it.</summary>
    Accepted = 1,

    /// <summary>A task's result is stored: forget the task.</summary>
    Settled,

    /// <summary>A dead letter is stored: forget the task.</summary>
    DeadLettered,

    /// <summary>A message may go out.</summary>
    Reply,

    /// <summary>Loans are stored: answer AVAILABLE and send the workers off.</summary>
    Offered,

    /// <summary>What had been stored of a submission is dropped again: answer it with its conflict.</summary>
    Withdrawn,
}

/// <summary>What follows once a batch is stored.</summary>
internal readonly record struct StoreContinuation(StoreContinuationKind Kind)
{
    public Submission? Submission { get; init; }

    public IReadOnlyList<TaskEntry> Tasks { get; init; } = [];

    /// <summary>Tasks of earlier submissions, not yet accepted, that this submission has again.</summary>
    public IReadOnlyList<TaskEntry> Repeated { get; init; } = [];

    public TaskEntry? Task { get; init; }

    public IReadOnlyList<Loan> Loans { get; init; } = [];

    public SessionId Session { get; init; }

    public MeshMessage? Message { get; init; }

    /// <summary>What a reply answers: a repeated message is about the same thing. Null for a reply that is never left out.</summary>
    public object? DeduplicationKey { get; init; }

    /// <summary>The attempt at the task that a reply is about.</summary>
    public int Attempt { get; init; }

    /// <summary>True for a submission whose write was tried and failed.</summary>
    public bool MayBeStored { get; init; }
}

/// <summary>Changes to the store, written together in order, and what follows once they are stored.</summary>
internal sealed class StoreBatch
{
    public List<StoreOp> Ops { get; } = [];

    internal List<StoreContinuation> Continuations { get; } = [];
}

internal enum StoreOpKind : byte
{
    /// <summary>A new task. A keyed one is refused when its id is known, settled or not.</summary>
    AcceptTask = 1,

    /// <summary>An unsettled task again, with its attempts and error.</summary>
    UpdateTask,

    /// <summary>Out of the unsettled tasks, its result in, one more done.</summary>
    SettleTask,

    /// <summary>Out of the unsettled tasks, into the dead letters.</summary>
    MoveTaskToDeadLetters,

    /// <summary>Out of the dead letters, into the unsettled tasks.</summary>
    RetryDeadLetter,

    /// <summary>Out of the unsettled tasks without a trace: an acceptance whose write failed.</summary>
    DropTask,

    /// <summary>An unsettled task that the store has lost, back among those that it holds; nothing when its result is there.</summary>
    RestoreTask,

    PutLoan,
    DropLoan,
}

/// <summary>One change to the store. Each is idempotent, so that a write of unknown outcome can be repeated.</summary>
internal readonly record struct StoreOp(StoreOpKind Kind, TaskRecord? Task, LoanRecord? Loan)
{
    public static StoreOp Of(StoreOpKind kind, TaskRecord task) => new(kind, task, null);

    public static StoreOp Of(StoreOpKind kind, LoanRecord loan) => new(kind, null, loan);
}
