namespace Mesh.Simulation;

/// <summary>What must hold, whatever fails (docs/protocol.md).</summary>
public enum Invariant : byte
{
    /// <summary>A task that was accepted is done or a dead letter in the end; but for what <see cref="DataLossTracker"/> says that a Redis has lost.</summary>
    AcceptedTasksSettle = 1,

    /// <summary>A balance is where it began plus the amounts of the updates that are done, each once; but for those whose end or mark a Redis has lost.</summary>
    UpdateCountsOnce,

    /// <summary>A worker never runs tasks of two servers at once.</summary>
    OneHolderPerWorker,

    /// <summary>At rest no loan is left, at neither side, in memory or stored.</summary>
    LoansEnd,

    /// <summary>Lending leaves an owner the workers of its minimum.</summary>
    MinimumKept,

    /// <summary>At rest every worker is at home.</summary>
    AllWorkersAtHome,

    /// <summary>At rest a server's books hold nothing but its workers and what they ask.</summary>
    BoundedMemory,

    /// <summary>At rest there are heartbeats and held get_tasks, and nothing else.</summary>
    NoIdleTraffic,

    /// <summary>202, ACK and AVAILABLE go out only once what they say is stored; a server that has not found yet what its store has lost may repeat itself.</summary>
    AckAfterStore,

    /// <summary>A worker is given only what it says it handles.</summary>
    OnlyHandledTypes,

    /// <summary>At rest every slot of every worker waits for a task at its home.</summary>
    EveryWorkerServes,

    /// <summary>No input makes a core throw, or wake without end.</summary>
    CoresDoNotFail,

    /// <summary>A task that failed on a worker goes to another one where there is one, and is no dead letter by one worker alone.</summary>
    RetriesGoElsewhere,

    /// <summary>A task that was lost with a connection that was reset goes on at once.</summary>
    LostDeliveriesReturn,

    /// <summary>A worker that fails where others succeed gets one task at a time, with pauses, and is set aside by the limit of the settings.</summary>
    FailingWorkersPause,

    /// <summary>Who serves a task of a server has that server's claim.</summary>
    OneServerPerTask,
}
