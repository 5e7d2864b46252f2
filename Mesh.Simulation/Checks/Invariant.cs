namespace Mesh.Simulation.Checks;

/// <summary>What must hold whatever fails (docs/protocol.md).</summary>
public enum Invariant : byte
{
    /// <summary>An accepted task becomes done or a dead letter, unless <see cref="DataLossTracker"/> says that a Redis has lost it.</summary>
    AcceptedTasksSettle = 1,

    /// <summary>A balance is its initial value plus the amounts of the done updates, each counted once, unless a Redis has lost their end or their mark.</summary>
    UpdateCountsOnce,

    /// <summary>A worker never runs tasks of two servers at once, except those that it has abandoned: it has handed them back, and never reports them.</summary>
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

    /// <summary>The tasks that a task submits with its result are accepted once, all or none, and only when it is done.</summary>
    FollowUpsOnce,

    /// <summary>No time of a schedule fires twice, and none fires after a later one, unless a Redis has lost it.</summary>
    ScheduleTimesFireOnce,

    /// <summary>A server that can accept tasks fires a schedule at its times, also one of an adopted server. Of missed times it fires the latest.</summary>
    SchedulesFire,

    /// <summary>No task runs before its time, by the clock of the server that dispatches it.</summary>
    NothingRunsEarly,

    /// <summary>A task is overtaken only by tasks of a higher priority that came within a limited time after it.</summary>
    WaitingTimesAreBounded,

    /// <summary>A task for which a worker refused another attempt is not tried again, and the next attempt is not earlier than a worker asked for.</summary>
    RetriesAreAsRequested,

    /// <summary>An owner keeps its minimum of workers for each type that a lent worker handles.</summary>
    TypeMinimumKept,

    /// <summary>An owner lends only workers that handle one of the requested types.</summary>
    LentForItsTypes,

    /// <summary>A borrower requests no workers from an owner just after a release. Without faults, the number of loans per minute stays below the bound of docs/operations.md, "How many loans".</summary>
    LoansPaced,

    /// <summary>
    /// After a task was cancelled, no attempt at it starts, and it does not become a dead letter: when it was running, the running attempt is the last one. Unless a Redis has lost
    /// that it was cancelled.
    /// </summary>
    CancelledTasksStop,

    /// <summary>A server does not let an attempt go on that has run longer than the timeout of its task.</summary>
    TimeoutsEndAttempts,

    /// <summary>A dead letter whose deletion is stored does not run and is not stored again, unless a Redis has lost its deletion.</summary>
    DeletedDeadLettersStayDeleted,

    /// <summary>A request for all dead letters, or those of one type, changes only those, and all that existed when it began unless it ended early. It answers with at most the number of those that it has changed.</summary>
    DeadLetterRequestsAreExact,

    /// <summary>At rest, the number of dead letters in the status of a server is that in its store.</summary>
    DeadLettersCounted,

    /// <summary>
    /// A borrower releases the workers of an owner whose reported load is above the high mark and higher than its own, within a limited time, except those that alone handle a waiting
    /// type.
    /// </summary>
    BorrowersGiveWay,

    /// <summary>A worker never runs more handlers at once than it has slots, with those of abandoned tasks.</summary>
    SlotsKept,

    /// <summary>The numbers of workers at home, which a server keeps up to date at each change of a worker, are those of its workers.</summary>
    WorkersCounted,
}
