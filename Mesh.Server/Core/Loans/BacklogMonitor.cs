using Mesh.Protocol;
using Mesh.Server.Core.Peers;

namespace Mesh.Server.Core.Loans;

/// <summary>Creates the input of each balancing round, and records since when its conditions hold. The state is kept in memory only.</summary>
internal sealed class BacklogMonitor(CoreState core)
{
    /// <summary>The types that no worker here handles, with the time of the first round that found this.</summary>
    private readonly Dictionary<TaskType, DateTimeOffset> _unservedSince = [];

    private DateTimeOffset? _surplusSince;

    public bool HasUnservedTypes => _unservedSince.Count > 0;

    public BalanceInput Observe(DateTimeOffset now)
    {
        var loans = core.Loans.All.Where(loan => loan.State is LoanState.Expected or LoanState.Arrived).ToList();
        var queued = core.Tasks.Queues.ToDictionary(queue => queue.Type, queue => queue.Depth);
        var borrowed = loans.ConvertAll(loan => Observe(loan, queued, now));
        var own = CountOwnWorkers(queued);
        ObserveUnserved(own, borrowed, now);
        ObserveSurplus(borrowed.Count, now);
        return new BalanceInput(
            core.Tasks.Depth,
            now - core.Tasks.BelowMinThresholdSince,
            now - _surplusSince,
            [
                .. queued.Select(type => new BacklogType(type.Key, type.Value, own[type.Key], IsUnserved(type.Key, now)))
                    .OrderByDescending(type => type.IsUnserved).ThenByDescending(type => type.Depth).ThenBy(type => type.Type.Name, StringComparer.Ordinal),
            ],
            borrowed,
            [.. core.Peers.All.Select(peer => Observe(peer, now))]);
    }

    /// <summary>Starts the time of a surplus again. Called when a worker was released.</summary>
    public void RestartSurplus(DateTimeOffset now) => _surplusSince = _surplusSince is null ? null : now;

    /// <summary>The time after a round at which the next of the conditions that it saw has lasted for <see cref="BalancingOptions.ReleaseAfter"/>, or null.</summary>
    public DateTimeOffset? FindNextCondition(DateTimeOffset round)
    {
        var releaseAfter = core.Settings.Balancing.ReleaseAfter;
        return _unservedSince.Values.Select(since => (DateTimeOffset?)since)
            .Append(_surplusSince)
            .Concat(core.Loans.All.Where(loan => loan.State is LoanState.Expected or LoanState.Arrived).SelectMany(loan => (DateTimeOffset?[])[loan.Record.Started, loan.UnusedSince]))
            .Select(since => since + releaseAfter)
            .Where(due => due > round)
            .Min();
    }

    /// <summary>Forgets the recorded times. Called at a round without waiting tasks and loans.</summary>
    public void Clear()
    {
        _unservedSince.Clear();
        _surplusSince = null;
    }

    private PeerSnapshot Observe(PeerEntry peer, DateTimeOffset now)
    {
        peer.HasPriority = Balancer.GivesWay(core.Tasks.Depth, peer.Load, peer.HasPriority, core.Settings.Balancing);
        return new PeerSnapshot(peer.Id, peer.Alive && !peer.IsLeaving && peer.NextRequestAt <= now, peer.HasPriority, peer.Load);
    }

    private BorrowedWorker Observe(Loan loan, Dictionary<TaskType, int> queued, DateTimeOffset now)
    {
        var worker = loan.State == LoanState.Arrived ? core.Workers.Find(loan.Worker) : null;
        var isUnused = worker is { Running.Count: 0 } && !worker.Handles.Any(queued.ContainsKey);
        loan.UnusedSince = isUnused ? loan.UnusedSince ?? now : null;
        return new BorrowedWorker(
            loan.Worker, loan.Peer, worker?.Handles, worker is { Running.Count: > 0 }, now - loan.Record.Started, now - loan.UnusedSince ?? TimeSpan.Zero);
    }

    private Dictionary<TaskType, int> CountOwnWorkers(Dictionary<TaskType, int> queued)
    {
        var counts = queued.Keys.ToDictionary(type => type, _ => 0);
        if (counts.Count == 0)
        {
            return counts;
        }

        foreach (var group in core.Workers.Homes.Groups)
        {
            foreach (var type in group.Handles.AsSpan())
            {
                if (counts.TryGetValue(type, out var count))
                {
                    counts[type] = count + group.Serving;
                }
            }
        }

        return counts;
    }

    private void ObserveUnserved(Dictionary<TaskType, int> own, List<BorrowedWorker> borrowed, DateTimeOffset now)
    {
        foreach (var type in _unservedSince.Keys.Where(type => !own.ContainsKey(type)).ToList())
        {
            _unservedSince.Remove(type);
        }

        foreach (var (type, workers) in own)
        {
            // The types of a worker that is expected, or not connected, are not known. It may handle all.
            if (workers > 0 || borrowed.Exists(worker => worker.Handles?.Contains(type) != false))
            {
                _unservedSince.Remove(type);
            }
            else
            {
                _unservedSince.TryAdd(type, now);
            }
        }
    }

    private void ObserveSurplus(int borrowed, DateTimeOffset now)
    {
        var settings = core.Settings.Balancing;
        var isSurplus = core.Tasks.Depth <= settings.MaxQueueThreshold && borrowed > Balancer.WantedWorkers(core.Tasks.Depth, settings);
        _surplusSince = isSurplus ? _surplusSince ?? now : null;
    }

    private bool IsUnserved(TaskType type, DateTimeOffset now) =>
        _unservedSince.TryGetValue(type, out var since) && now - since >= core.Settings.Balancing.ReleaseAfter;
}
