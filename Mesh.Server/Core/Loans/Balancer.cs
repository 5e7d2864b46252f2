using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>A peer as the balancer sees it.</summary>
/// <param name="Load">As of its last heartbeat, or null when it does not tell.</param>
/// <param name="CanBeAsked">Alive, and not refusing just now.</param>
internal readonly record struct PeerSnapshot(ServerId Id, bool CanBeAsked, ServerLoad? Load);

/// <summary>What the balancer decides from.</summary>
/// <param name="Queue">Tasks that wait.</param>
/// <param name="BelowMinThresholdFor">How long the queue has not been above the low mark, or null when it is.</param>
/// <param name="TasksForBorrowed">Waiting tasks that borrowed workers handle, and none of this server's own that are here.</param>
/// <param name="Borrowed">Borrowed workers that are here or promised, without those being released.</param>
internal readonly record struct BalanceInput(int Queue, TimeSpan? BelowMinThresholdFor, int TasksForBorrowed, int Borrowed, IReadOnlyList<PeerSnapshot> Peers);

/// <summary>What the balancer wants: a closed set.</summary>
internal abstract record BalanceDecision
{
    private BalanceDecision()
    {
    }

    public sealed record NoChange : BalanceDecision
    {
        public static readonly NoChange Instance = new();
    }

    /// <param name="Workers">At least 1.</param>
    /// <param name="Peers">In the order to ask them, not empty.</param>
    public sealed record Borrow(int Workers, IReadOnlyList<ServerId> Peers) : BalanceDecision;

    /// <summary>All borrowed workers go back.</summary>
    public sealed record Release : BalanceDecision
    {
        public static readonly Release Instance = new();
    }
}

/// <summary>The balancing decisions, pure functions of what is given.</summary>
internal static class Balancer
{
    /// <summary>
    /// Above the high mark: borrow, in all as many workers as the queue holds high marks (rounded up). Not above the low mark for
    /// <see cref="BalancingOptions.ReleaseAfter"/>: release, unless only they can do something that still waits. Between the marks: stay.
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

    /// <summary>How many workers an owner may lend now.</summary>
    /// <param name="queue">The owner's waiting tasks.</param>
    /// <param name="atHome">Its workers at home, idle or not.</param>
    /// <param name="idle">Those of them that could leave at once.</param>
    /// <param name="needed">What the borrower asks for; null (older peers) counts as 1.</param>
    public static int CountLendable(int queue, int atHome, int idle, int? needed, BalancingOptions settings) =>
        queue > settings.MaxQueueThreshold
            ? 0
            : Math.Max(0, Math.Min(needed ?? 1, Math.Min(idle, atHome - settings.MinWorkersBeforeSharing)));

    private static int WantedWorkers(int queue, BalancingOptions settings)
    {
        var mark = Math.Max(1, settings.MaxQueueThreshold);
        return (queue / mark) + (queue % mark == 0 ? 0 : 1);
    }

    /// <summary>Least loaded first; a peer that does not tell its load comes after those that do.</summary>
    private static List<ServerId> OrderByLoad(IReadOnlyList<PeerSnapshot> peers) =>
    [
        .. peers.Where(peer => peer.CanBeAsked)
            .OrderBy(peer => peer.Load is null)
            .ThenBy(peer => peer.Load?.Queue)
            .ThenByDescending(peer => peer.Load?.Idle)
            .Select(peer => peer.Id),
    ];
}
