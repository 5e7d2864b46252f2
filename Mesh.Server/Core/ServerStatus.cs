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
    IReadOnlyList<WorkerStatus> Workers,
    IReadOnlyList<PeerStatus> Peers,
    IReadOnlyList<LoanRecord> Loans);

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

internal sealed record PeerStatus(ServerId Id, MeshEndpoint Endpoint, bool Alive, DateTimeOffset? LastSeen, ServerLoad? Load);
