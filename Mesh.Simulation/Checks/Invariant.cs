namespace Mesh.Simulation.Checks;

/// <summary>What must hold whatever fails (docs/protocol.md).</summary>
public enum Invariant : byte
{
    /// <summary>An accepted task becomes done or a dead letter, unless <see cref="DataLossTracker"/> says that a Redis has lost it.</summary>
    AcceptedTasksSettle = 1,

    /// <summary>A balance is its initial value plus the amounts of the done updates, each counted once, unless a Redis has lost their end or their mark.</summary>
    UpdateCountsOnce,

    /// <summary>A worker never runs tasks of two servers at once.</summary>
    OneHolderPerWorker,

    /// <summary>At rest no loan is left, neither in memory nor stored, neither at the owner nor at the borrower.</summary>
    LoansEnd,

    /// <summary>An owner keeps its minimum of workers when it lends.</summary>
    MinimumKept,

    /// <summary>At rest every worker is at home.</summary>
    AllWorkersAtHome,

    /// <summary>At rest a server holds only its own workers and their get_tasks in memory.</summary>
    BoundedMemory,

    /// <summary>At rest there are only heartbeats and held get_tasks.</summary>
    NoIdleTraffic,

    /// <summary>202, ACK and AVAILABLE are sent only after what they confirm is stored. A server that has not yet detected a loss of its store may repeat an answer.</summary>
    AckAfterStore,

    /// <summary>A worker gets only tasks of the types that it handles.</summary>
    OnlyHandledTypes,

    /// <summary>At rest every slot of every worker waits at its home for a task.</summary>
    EveryWorkerServes,

    /// <summary>No input makes a core or a shell throw, or makes a core request wake-ups without end.</summary>
    CoresDoNotFail,

    /// <summary>A task that failed on a worker goes to another worker if there is one, and does not become a dead letter by one worker alone.</summary>
    RetriesGoElsewhere,

    /// <summary>A task that was lost with a reset connection is put back at once.</summary>
    LostDeliveriesReturn,

    /// <summary>A worker that fails at tasks that others do gets one task at a time, with pauses, and is set aside at the configured limit.</summary>
    FailingWorkersPause,

    /// <summary>Only the process that has the lease of a server serves its tasks.</summary>
    OneServerPerTask,
}
