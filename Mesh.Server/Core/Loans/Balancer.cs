using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>The result of <see cref="Balancer.Decide"/>.</summary>
/// <param name="Releases">The borrowed workers to release to their owners.</param>
/// <param name="Borrow">The workers to request from peers, or null for none.</param>
internal sealed record BalanceDecision(IReadOnlyList<WorkerId> Releases, BorrowDecision? Borrow);

/// <summary>Which workers to request.</summary>
/// <param name="Workers">The number of workers, at least 1.</param>
/// <param name="Types">The types of which each worker must handle at least one.</param>
/// <param name="Peers">The peers in the order in which they are asked. The list is not empty.</param>
/// <param name="ForUnserved">True when the workers are requested because no worker here handles these types, whatever the queue.</param>
internal sealed record BorrowDecision(int Workers, TaskTypeSet Types, IReadOnlyList<ServerId> Peers, bool ForUnserved);

/// <summary>Decides what a balancing round does (docs/protocol.md, "A loan, step by step"). The functions depend on their parameters only.</summary>
internal static class Balancer
{
    /// <summary>The largest number of types in a WORKER_REQUEST (docs/protocol.md, "Optional fields").</summary>
    public const int MaxRequestedTypes = 64;

    /// <summary>Decides which borrowed workers to release, and which workers to request.</summary>
    public static BalanceDecision Decide(in BalanceInput view, BalancingOptions settings)
    {
        var releases = ReleaseSelector.Select(view, settings);
        return new BalanceDecision(releases, DecideBorrow(view, releases, settings));
    }

    /// <summary>The number of borrowed workers that a queue needs: the queue divided by the high mark, rounded up.</summary>
    public static int WantedWorkers(int queue, BalancingOptions settings)
    {
        var mark = Math.Max(1, settings.MaxQueueThreshold);
        return (queue / mark) + (queue % mark == 0 ? 0 : 1);
    }

    /// <summary>
    /// Returns whether this server gives way to a peer: it returns the workers of that peer and requests no more from it. This begins when the peer reports a queue that
    /// is above the high mark of this server and longer than the queue of this server. It ends when the peer reports a queue that is not above the high mark
    /// (docs/protocol.md, "When workers go home").
    /// </summary>
    /// <param name="load">The load in the peer's last heartbeat, or null.</param>
    /// <param name="before">Whether this server gave way to the peer at its last round.</param>
    public static bool GivesWay(int queue, ServerLoad? load, bool before, BalancingOptions settings) =>
        load is { } reported && reported.Queue > settings.MaxQueueThreshold && (before || queue < reported.Queue);

    private static BorrowDecision? DecideBorrow(in BalanceInput view, IReadOnlyList<WorkerId> releases, BalancingOptions settings)
    {
        if (view.Queue > settings.MaxQueueThreshold)
        {
            var backlog = view.Backlog;
            var helping = view.Borrowed.Count(worker => !releases.Contains(worker.Id) && worker.MayServe(backlog));
            var wanted = WantedWorkers(view.Queue, settings) - helping;
            if (wanted > 0 && OrderByLoad(view.Peers.Where(peer => !peer.HasPriority)) is { Count: > 0 } peers)
            {
                return new BorrowDecision(wanted, NeededTypes(backlog), peers, ForUnserved: false);
            }
        }

        // Peers to which this server gives way are asked too, because they may have workers that handle no type of their own backlog.
        var unserved = view.Backlog.Where(waiting => waiting.IsUnserved).ToList();
        return unserved.Count > 0 && OrderByLoad(view.Peers) is { Count: > 0 } all
            ? new BorrowDecision(WantedWorkers(unserved.Sum(waiting => waiting.Depth), settings), Types(unserved), all, ForUnserved: true)
            : null;
    }

    /// <summary>
    /// The types with more waiting tasks than workers at home that handle them. When there are none, because the workers at home handle several of the types each, all
    /// types of the backlog.
    /// </summary>
    private static TaskTypeSet NeededTypes(IReadOnlyList<BacklogType> backlog)
    {
        var needed = backlog.Where(waiting => waiting.Depth > waiting.OwnWorkers).ToList();
        return Types(needed.Count > 0 ? needed : backlog);
    }

    private static TaskTypeSet Types(IEnumerable<BacklogType> backlog) => TaskTypeSet.Of(backlog.Take(MaxRequestedTypes).Select(waiting => waiting.Type));

    /// <summary>Orders the peers that can be asked by load, the lowest first. Peers that do not report their load come last.</summary>
    private static List<ServerId> OrderByLoad(IEnumerable<PeerSnapshot> peers) =>
    [
        .. peers.Where(peer => peer.CanBeAsked)
            .OrderBy(peer => peer.Load is null)
            .ThenBy(peer => peer.Load?.Queue)
            .ThenByDescending(peer => peer.Load?.Idle)
            .Select(peer => peer.Id),
    ];
}
