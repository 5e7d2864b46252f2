namespace Mesh.Simulation.Faults;

internal enum FaultKind : byte
{
    KillServer = 1,
    StopServer,
    KillForeignServer,
    KillWorker,
    StopWorker,
    CutConnection,
    HalfOpenConnection,
    Partition,
    StoreDown,
    StoreSlow,
    StoreErrors,
    LatencySpikes,
    LossyLines,
    RepeatedLines,

    /// <summary>Kills a server during its next write.</summary>
    KillServerDuringWrite,

    /// <summary>At the next step of any loan, kills the server or the worker, or breaks the connections of the worker.</summary>
    FaultDuringLoan,

    /// <summary>Kills a worker during its next task.</summary>
    KillWorkerDuringTask,

    /// <summary>Ends a server for the rest of the life: one server at most, and only if two remain. In a third of the cases its address still accepts connections and never answers.</summary>
    RemoveServer,

    /// <summary>Suspends a server's process. A second process is started in its place, and the first resumes.</summary>
    FreezeServer,

    /// <summary>Keeps a server down for one to three minutes, beyond the end of the other faults. In a third of the cases its address still accepts connections.</summary>
    ServerDownForLong,

    /// <summary>Stops a Redis by a power failure. Only in lives whose Redis flushes its log once a second.</summary>
    PowerLoss,

    /// <summary>An operator pauses a server and resumes it. Only in lives with an operator.</summary>
    PauseServer,

    /// <summary>An operator makes a server return all borrowed workers. Only in lives with an operator.</summary>
    ReturnLoans,

    /// <summary>Kills a server during its next write of tasks that another task submits with its result.</summary>
    KillServerDuringFollowUps,

    /// <summary>At the next page of a request for all dead letters, kills the server, or stops or slows its Redis.</summary>
    FaultDuringDeadLetterRequest,

    /// <summary>The configuration of a server loses some of its peers, or gets a wrong address of one, for a time. Only in some lives.</summary>
    ChangePeers,
}

/// <summary>One fault.</summary>
/// <param name="Target">Selects the target: any number, modulo the number of candidates.</param>
/// <param name="Other">Selects the second target of a fault between two nodes.</param>
/// <param name="Silent">True when the machine fails, not only the process.</param>
/// <param name="For">The duration of the fault.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, int Target, int Other, bool Silent, TimeSpan For);
