namespace Mesh.Simulation;

/// <summary>
/// Deliberate mistakes, each one that a server, a worker or a store could be written with. They are made where a core meets the simulated world, so
/// production knows nothing of them. That each is caught shows that the simulation finds bugs.
/// </summary>
public enum Mutation : byte
{
    None = 0,

    /// <summary>What should follow a write happens before it.</summary>
    ActBeforeStored,

    /// <summary>A write that failed is taken for done.</summary>
    FailedWriteForgotten,

    /// <summary>The store takes writes from whoever had the claim once.</summary>
    LeaseNotChecked,

    /// <summary>The store takes a write that a later one has overtaken.</summary>
    LateWriteApplied,

    /// <summary>A peer serves the tasks of a dead server without its claim, so that nobody tells it when that server is back.</summary>
    AdoptionWithoutLease,

    /// <summary>A peer keeps the claim of a server that is back.</summary>
    AdoptionNotReleased,

    /// <summary>A server does not find that its store has lost what it had acknowledged.</summary>
    LossNotNoticed,

    /// <summary>What the store has lost and the server still knows is not written again.</summary>
    LossNotRepaired,

    /// <summary>A server that starts does not take up its tasks.</summary>
    TasksNotLoaded,

    /// <summary>A server that starts does not take up its loans.</summary>
    LoansNotLoaded,

    /// <summary>The end of a loan is not stored.</summary>
    LoanEndNotStored,

    /// <summary>A lease never ends.</summary>
    LeaseNeverEnds,

    /// <summary>A worker that is gone keeps its tasks.</summary>
    GoneWorkerKept,

    /// <summary>A server forgets which worker has failed at a task.</summary>
    FailuresForgotten,

    /// <summary>A reset is taken for the end of what the worker sends: what was on its way is waited for.</summary>
    ResetTakenForClose,

    /// <summary>A worker that fails where others succeed gets its next task without a pause.</summary>
    PausesIgnored,

    /// <summary>Such a worker is never set aside.</summary>
    NeverSetAside,

    /// <summary>When a write of unknown outcome is put back to be written again, changes are dropped that nothing replaces.</summary>
    UnwrittenChangesDropped,

    /// <summary>The ledger does not remember which updates it has made.</summary>
    UpdateNotMarked,

    /// <summary>An update is given up without asking the ledger whether it was made.</summary>
    DeadLetteredUnchecked,

    /// <summary>The ledger is asked, and forgets that the task is closed.</summary>
    CloseNotMarked,

    /// <summary>A key that is known is accepted again.</summary>
    KeyAcceptedTwice,

    /// <summary>An owner lends all it has.</summary>
    MinimumIgnored,

    /// <summary>A worker leaves for another server with its tasks still running.</summary>
    LeavesWithTasks,

    /// <summary>A worker that leaves a task behind which goes on takes those of the next server beside it.</summary>
    AbandonedForgotten,

    /// <summary>RETURN never reaches a worker.</summary>
    ReturnNotSent,

    /// <summary>A borrowed worker waits for its borrower for ever.</summary>
    BorrowerNeverGivenUp,

    /// <summary>COMMAND_RELEASE is not repeated.</summary>
    ReleaseNotRepeated,

    /// <summary>What a worker handles is not looked at.</summary>
    TypesIgnored,

    /// <summary>A server is not told of closed connections.</summary>
    CloseNotReported,

    /// <summary>An idle get_task is answered at once.</summary>
    PollNotHeld,

    /// <summary>A server wakes each second whether there is anything to do or not.</summary>
    NeedlessWakeups,
}
