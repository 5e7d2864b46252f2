using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>The state of a peer at the start of a balancing round.</summary>
/// <param name="CanBeAsked">True when the peer is alive and the pause after its last refusal is over.</param>
/// <param name="Load">The load in the peer's last heartbeat, or null when the peer does not report its load.</param>
internal readonly record struct PeerSnapshot(ServerId Id, bool CanBeAsked, ServerLoad? Load);

/// <summary>The input of <see cref="Balancer.Decide"/>.</summary>
/// <param name="Queue">The number of waiting tasks.</param>
/// <param name="BelowMinThresholdFor">The time since the queue was last above the low mark, or null when it is above it now.</param>
/// <param name="TasksForBorrowed">The number of waiting tasks that only borrowed workers can process: no worker of this server that is at home handles their type.</param>
/// <param name="Borrowed">The number of borrowed workers that have arrived or are expected. Workers that are being released are not counted.</param>
internal readonly record struct BalanceInput(int Queue, TimeSpan? BelowMinThresholdFor, int TasksForBorrowed, int Borrowed, IReadOnlyList<PeerSnapshot> Peers);

/// <summary>The result of <see cref="Balancer.Decide"/>. The nested types are the only ones.</summary>
internal abstract record BalanceDecision
{
    private BalanceDecision()
    {
    }

    public sealed record NoChange : BalanceDecision
    {
        public static readonly NoChange Instance = new();
    }

    /// <summary>Request workers from peers.</summary>
    /// <param name="Workers">The number of workers to request, at least 1.</param>
    /// <param name="Peers">The peers in the order in which they are asked. The list is not empty.</param>
    public sealed record Borrow(int Workers, IReadOnlyList<ServerId> Peers) : BalanceDecision;

    /// <summary>Release all borrowed workers to their owners.</summary>
    public sealed record Release : BalanceDecision
    {
        public static readonly Release Instance = new();
    }
}

/// <summary>Decides when to borrow, release and lend workers (docs/protocol.md, "A loan, step by step"). The functions depend on their parameters only.</summary>
internal static class Balancer
{
    /// <summary>
    /// Decides what a balancing round does. When the queue is above the high mark, the server borrows until it has queue ÷ high mark borrowed workers
    /// (rounded up). When the queue has not been above the low mark for <see cref="BalancingOptions.ReleaseAfter"/>, the server releases all borrowed workers,
    /// unless a waiting task needs them. Otherwise nothing changes.
    /// </summary>
    public static BalanceDecision Decide(in BalanceInput view, BalancingOptions settings)
    {
        if (view.Queue > settings.MaxQueueThreshold)
        {
            var wanted = WantedWorkers(view.Queue, settings) - view.Borrowed;
            var peers = wanted > 0 ? OrderByLoad(view.Peers) : [];
            return peers.Count > 0 ? new BalanceDecision.Borrow(wanted, peers) : BalanceDecision.NoChange.Instance;
        }

        return view.Borrowed > 0 && view.BelowMinThresholdFor >= settings.ReleaseAfter && view.TasksForBorrowed == 0
            ? BalanceDecision.Release.Instance
            : BalanceDecision.NoChange.Instance;
    }

    /// <summary>Returns the number of workers that an owner may lend now.</summary>
    /// <param name="queue">The number of tasks that wait at the owner.</param>
    /// <param name="atHome">The number of the owner's workers that are at home, idle or busy.</param>
    /// <param name="idle">The number of workers at home that can be lent immediately.</param>
    /// <param name="needed">The number of workers that the borrower requests. Null, which older peers send, counts as 1.</param>
    public static int CountLendable(int queue, int atHome, int idle, int? needed, BalancingOptions settings) =>
        queue > settings.MaxQueueThreshold
            ? 0
            : Math.Max(0, Math.Min(needed ?? 1, Math.Min(idle, atHome - settings.MinWorkersBeforeSharing)));

    private static int WantedWorkers(int queue, BalancingOptions settings)
    {
        var mark = Math.Max(1, settings.MaxQueueThreshold);
        return (queue / mark) + (queue % mark == 0 ? 0 : 1);
    }

    /// <summary>Orders the peers that can be asked by load, the lowest first. Peers that do not report their load come last.</summary>
    private static List<ServerId> OrderByLoad(IReadOnlyList<PeerSnapshot> peers) =>
    [
        .. peers.Where(peer => peer.CanBeAsked)
            .OrderBy(peer => peer.Load is null)
            .ThenBy(peer => peer.Load?.Queue)
            .ThenByDescending(peer => peer.Load?.Idle)
            .Select(peer => peer.Id),
    ];
}
