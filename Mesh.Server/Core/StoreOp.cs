namespace Mesh.Server.Core;

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
