namespace Mesh.Simulation;

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

    /// <summary>At the server's next write, within the time that a write takes.</summary>
    KillServerDuringWrite,

    /// <summary>At the next step of any loan: that server, that worker or its connections.</summary>
    FaultDuringLoan,

    /// <summary>At the worker's next task, while it works on it.</summary>
    KillWorkerDuringTask,

    /// <summary>A server stops serving and is never started again; one a life at most, and only where two remain. In a third of cases its address still takes connections, without an answer.</summary>
    RemoveServer,

    /// <summary>A server's process is held up; a second one is started in its place, and the first goes on.</summary>
    FreezeServer,

    /// <summary>A server stays away for one to three minutes, beyond the end of the other faults; in a third of cases as above.</summary>
    ServerDownForLong,

    /// <summary>A Redis that writes out its log once a second goes with its machine; only in lives that have such.</summary>
    PowerLoss,

    /// <summary>An operator pauses a server, and resumes it; only in lives that have an operator.</summary>
    PauseServer,

    /// <summary>An operator has a server return all workers that it has borrowed; as above.</summary>
    ReturnLoans,
}

/// <summary>One thing that goes wrong.</summary>
/// <param name="Target">Any number; taken modulo what there is of that kind.</param>
/// <param name="Other">The same, for a fault between two.</param>
/// <param name="Silent">The machine goes, not only the process.</param>
/// <param name="For">After this it is mended.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, int Target, int Other, bool Silent, TimeSpan For);
