using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>The input of <see cref="Balancer.Decide"/>: the state of the server at the start of a balancing round.</summary>
/// <param name="Queue">The number of waiting tasks.</param>
/// <param name="BelowMinThresholdFor">The time since the queue was last above the low mark, or null when it is above it now.</param>
/// <param name="SurplusFor">The time for which the queue has not been above the high mark while more workers were borrowed than wanted, or null.</param>
/// <param name="Backlog">The types of the waiting tasks, those with an unserved type first, then those with the most tasks.</param>
/// <param name="Borrowed">The borrowed workers that have arrived or are expected. Workers that are being released are not included.</param>
internal readonly record struct BalanceInput(
    int Queue,
    TimeSpan? BelowMinThresholdFor,
    TimeSpan? SurplusFor,
    IReadOnlyList<BacklogType> Backlog,
    IReadOnlyList<BorrowedWorker> Borrowed,
    IReadOnlyList<PeerSnapshot> Peers);

/// <summary>A type of the waiting tasks.</summary>
/// <param name="Depth">The number of waiting tasks of the type, at least 1.</param>
/// <param name="OwnWorkers">The number of workers of this server that are at home, handle the type and are not set aside.</param>
/// <param name="IsUnserved">True when no worker here, own or borrowed, has handled the type for <see cref="BalancingOptions.ReleaseAfter"/>.</param>
internal readonly record struct BacklogType(TaskType Type, int Depth, int OwnWorkers, bool IsUnserved);

/// <summary>A borrowed worker.</summary>
/// <param name="Handles">The types that it handles, or null while it is expected or not connected.</param>
/// <param name="IsBusy">True when it runs a task.</param>
/// <param name="Age">The time since the owner promised it.</param>
/// <param name="UnusedFor">The time for which it has run no task and handled no type of the backlog.</param>
internal sealed record BorrowedWorker(WorkerId Id, ServerId Owner, TaskTypeSet? Handles, bool IsBusy, TimeSpan Age, TimeSpan UnusedFor)
{
    /// <summary>Returns whether it handles, or may handle, a type of the backlog.</summary>
    public bool MayServe(IReadOnlyList<BacklogType> backlog) => Handles is null || backlog.Any(waiting => Handles.Contains(waiting.Type));
}

/// <summary>The state of a peer.</summary>
/// <param name="CanBeAsked">True when the peer is alive and the pause after its last refusal or release is over.</param>
/// <param name="HasPriority">True when this server gives way to the peer (<see cref="Balancer.GivesWay"/>).</param>
/// <param name="Load">The load in the peer's last heartbeat, or null when the peer does not report its load.</param>
internal readonly record struct PeerSnapshot(ServerId Id, bool CanBeAsked, bool HasPriority, ServerLoad? Load);
