using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>A snapshot of a server, as GET /status tells it.</summary>
internal sealed record ServerStatus(
    ServerId Id,
    MeshEndpoint Advertise,
    int Queue,
    int Running,
    long Done,
    long Dead,
    bool Paused,
    IReadOnlyList<WorkerStatus> Workers,
    IReadOnlyList<PeerStatus> Peers,
    IReadOnlyList<LoanRecord> Loans,
    IReadOnlyList<AdoptionStatus> Adopted);

/// <summary>Whether a server takes new tasks, and those that it has.</summary>
/// <param name="Queue">Tasks that wait.</param>
/// <param name="Running">Tasks that run.</param>
internal sealed record PauseStatus(bool Paused, int Queue, int Running);

/// <summary>idle, busy, lent (away), leaving (an order waits for it) or gone (within its grace).</summary>
internal enum WorkerState : byte
{
    Idle = 1,
    Busy,
    Lent,
    Leaving,
    Gone,
}

/// <param name="Transport">Null for a worker that is away.</param>
internal sealed record WorkerStatus(WorkerId Id, ServerId Home, WorkerState State, Framing? Transport);

/// <param name="Tasks">Its tasks that are still unsettled.</param>
/// <param name="Done">Its tasks that were done here.</param>
internal sealed record AdoptionStatus(ServerId Server, DateTimeOffset Since, int Tasks, long Done);

internal sealed record PeerStatus(ServerId Id, MeshEndpoint Endpoint, bool Alive, DateTimeOffset? LastSeen, ServerLoad? Load);
