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

/// <summary>idle, busy, lent (away), leaving (an order waits for it), gone (within its grace) or set aside (it fails where others succeed).</summary>
internal enum WorkerState : byte
{
    Idle = 1,
    Busy,
    Lent,
    Leaving,
    Gone,
    SetAside,
}

/// <param name="Transport">Null for a worker that is away.</param>
/// <param name="Strikes">How often it has failed, since its last success, at a task that another worker then did.</param>
/// <param name="PausedUntil">It gets no task before; null for a worker without strikes.</param>
/// <param name="NotLentUntil">It is not lent before, since it has not followed REDIRECT; null for a worker that has not ignored one.</param>
internal sealed record WorkerStatus(
    WorkerId Id, ServerId Home, WorkerState State, Framing? Transport, int Strikes = 0, DateTimeOffset? PausedUntil = null, DateTimeOffset? NotLentUntil = null);

/// <param name="Tasks">Its tasks that are still unsettled.</param>
/// <param name="Done">Its tasks that were done here.</param>
internal sealed record AdoptionStatus(ServerId Server, DateTimeOffset Since, int Tasks, long Done);

internal sealed record PeerStatus(ServerId Id, MeshEndpoint Endpoint, bool Alive, DateTimeOffset? LastSeen, ServerLoad? Load);
