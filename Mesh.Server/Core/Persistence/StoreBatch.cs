using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

/// <summary>The action that follows when a batch is stored.</summary>
internal enum StoreContinuationKind : byte
{
    /// <summary>Queue the tasks of a submission and answer it.</summary>
    Accepted = 1,

    /// <summary>Remove a completed task from memory.</summary>
    Settled,

    /// <summary>Remove a dead letter from memory.</summary>
    DeadLettered,

    /// <summary>Send a message.</summary>
    Reply,

    /// <summary>Answer AVAILABLE and redirect the offered workers.</summary>
    Offered,

    /// <summary>Answer a submission with its conflict, after its stored tasks have been dropped.</summary>
    Withdrawn,

    /// <summary>Remove a cancelled task from memory.</summary>
    Cancelled,

    /// <summary>Ask the ledger to reject further attempts at a cancelled task.</summary>
    Invalidate,

    /// <summary>Handle a request to cancel again, after the settlement or acceptance of its task.</summary>
    Cancel,

    /// <summary>Answer a request to cancel: its task is settled as cancelled.</summary>
    CancelSettled,

    /// <summary>Answer a request to cancel: its task runs, and no attempt follows.</summary>
    CancelRequested,

    /// <summary>Answer a request to cancel: its dead letter is deleted.</summary>
    DeadLetterDeleted,

    /// <summary>Queue the task of a schedule.</summary>
    ScheduleFired,

    /// <summary>Answer a request to delete dead letters.</summary>
    DeadLettersDeleted,
}

/// <summary>An action that follows when a batch is stored, with its data.</summary>
internal readonly record struct StoreContinuation(StoreContinuationKind Kind)
{
    public Submission? Submission { get; init; }

    public IReadOnlyList<TaskEntry> Tasks { get; init; } = [];

    /// <summary>Tasks that this submission repeats and that were still being stored for an earlier submission. For a retry of dead letters also those that were being settled.</summary>
    public IReadOnlyList<TaskEntry> Repeated { get; init; } = [];

    public TaskEntry? Task { get; init; }

    /// <summary>The request to cancel a task. Null when it was answered already, because a write had failed.</summary>
    public CancelRequest? Cancel { get; init; }

    /// <summary>The dead letter that was deleted.</summary>
    public TaskRecord? DeadLetter { get; init; }

    public IReadOnlyList<Loan> Loans { get; init; } = [];

    public ScheduleFiring? Firing { get; init; }

    public SessionId Session { get; init; }

    public MeshMessage? Message { get; init; }

    /// <summary>The subject of a reply, which is equal for a repeated message. Null for a reply that is always sent.</summary>
    public object? DeduplicationKey { get; init; }

    /// <summary>The number of the attempt that a reply acknowledges.</summary>
    public int Attempt { get; init; }

    /// <summary>True for a submission whose write failed and may have been applied.</summary>
    public bool MayBeStored { get; init; }
}

/// <summary>Changes to the store that are written together, in order, and the actions that follow when they are stored.</summary>
internal sealed class StoreBatch
{
    public List<StoreOp> Ops { get; } = [];

    internal List<StoreContinuation> Continuations { get; } = [];

    /// <summary>The number of dead letters of this server after the write. Set by the store, and null when the batch changes nothing of this server.</summary>
    public long? DeadLetters { get; set; }
}

/// <summary>The kinds of changes to the store.</summary>
internal enum StoreOpKind : byte
{
    /// <summary>Adds a new task. A task with an idempotency key is not added when the store has a task with that key, settled or not.</summary>
    AcceptTask = 1,

    /// <summary>Updates the attempts and the error of an unsettled task.</summary>
    UpdateTask,

    /// <summary>
    /// Removes an unsettled task, adds its result and the tasks of <see cref="StoreOp.Then"/>, and increments the number of completed tasks. Changes nothing when the task is
    /// not unsettled any more.
    /// </summary>
    SettleTask,

    /// <summary>Moves an unsettled task to the dead letters.</summary>
    MoveTaskToDeadLetters,

    /// <summary>Moves a dead letter to the unsettled tasks.</summary>
    RetryDeadLetter,

    /// <summary>Removes an unsettled task that was not accepted, for example because its write failed.</summary>
    DropTask,

    /// <summary>Adds an unsettled task that the store has lost. Changes nothing when the store has its result.</summary>
    RestoreTask,

    /// <summary>Adds a loan or replaces it.</summary>
    PutLoan,

    /// <summary>Removes a loan.</summary>
    DropLoan,

    /// <summary>Removes an unsettled task and adds its record as a result, without counting it as completed.</summary>
    CancelTask,

    /// <summary>Removes a dead letter with its TASK_ID. A later dead letter with the same client id stays. Reports <see cref="StoreOp.MissingDeadLetterKey"/> when there is none.</summary>
    DeleteDeadLetter,

    /// <summary>
    /// Adds a schedule or replaces it. With a task it first adds the task, which has an idempotency key, as <see cref="AcceptTask"/> does: both in one step.
    /// </summary>
    PutSchedule,

    /// <summary>Removes a schedule.</summary>
    DropSchedule,
}

/// <summary>One change to the store. Changes are idempotent, so a write with an unknown outcome can be repeated.</summary>
internal readonly record struct StoreOp(StoreOpKind Kind, TaskRecord? Task, LoanRecord? Loan)
{
    /// <summary>The beginning of each <see cref="MissingDeadLetterKey"/>.</summary>
    public const string MissingDeadLetterPrefix = "\n";

    /// <summary>New tasks that <see cref="StoreOpKind.SettleTask"/> adds together with the result, or null.</summary>
    public IReadOnlyList<TaskRecord>? Then { get; init; }

    /// <summary>True when the store reports the task as existing if it does not make the change, because the lease of an adopted server is lost. The core answers a client about it.</summary>
    public bool IsReportedWhenRefused => Kind is StoreOpKind.RetryDeadLetter or StoreOpKind.DeleteDeadLetter or StoreOpKind.CancelTask or StoreOpKind.UpdateTask || (Kind == StoreOpKind.PutSchedule && Task is not null);

    public static StoreOp Of(StoreOpKind kind, TaskRecord task) => new(kind, task, null);

    public ScheduleRecord? Schedule { get; init; }

    /// <summary>The adopted server whose part of the store the change concerns, or null for this server.</summary>
    public ServerId? StoredBy => Task?.StoredBy ?? Schedule?.StoredBy;

    public static StoreOp Of(StoreOpKind kind, LoanRecord loan) => new(kind, null, loan);

    /// <summary>The key of a dead letter to delete that the store does not have, among the existing tasks that it returns for a batch. No client id has a control character.</summary>
    public static string MissingDeadLetterKey(TaskId task) => MissingDeadLetterPrefix + task.Value;

    public static StoreOp Of(StoreOpKind kind, ScheduleRecord schedule) => new(kind, null, null) { Schedule = schedule };
}
