using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>Decides which borrowed workers a balancing round releases (docs/protocol.md, "When workers go home"). Depends on its parameters only.</summary>
internal static class ReleaseSelector
{
    /// <summary>
    /// Selects the workers to release:
    /// <list type="bullet">
    /// <item>all, when the queue has not been above the low mark for <see cref="BalancingOptions.ReleaseAfter"/>;</item>
    /// <item>those of an owner to which this server gives way;</item>
    /// <item>those that were of no use for <see cref="BalancingOptions.ReleaseAfter"/>, because they handle no type of the backlog;</item>
    /// <item>one, when more workers were borrowed than wanted for <see cref="BalancingOptions.ReleaseAfter"/>.</item>
    /// </list>
    /// A worker is not released within <see cref="BalancingOptions.ReleaseAfter"/> of its promise, nor while a task waits that only it handles.
    /// </summary>
    public static IReadOnlyList<WorkerId> Select(in BalanceInput view, BalancingOptions settings)
    {
        if (view.Borrowed.Count == 0)
        {
            return [];
        }

        var priority = view.Peers.Where(peer => peer.HasPriority).Select(peer => peer.Id).ToHashSet();
        var backlog = view.Backlog;
        var handlers = CountHandlers(view);
        var releasesAll = view.BelowMinThresholdFor >= settings.ReleaseAfter;
        var surplus = view.SurplusFor >= settings.ReleaseAfter ? 1 : 0;
        var released = new List<WorkerId>();
        foreach (var worker in view.Borrowed
            .OrderByDescending(worker => priority.Contains(worker.Owner))
            .ThenBy(worker => worker.MayServe(backlog))
            .ThenBy(worker => worker.IsBusy)
            .ThenByDescending(worker => worker.Age))
        {
            if (worker.Age < settings.ReleaseAfter || !CanSpare(worker, backlog, handlers))
            {
                continue;
            }

            if (releasesAll || priority.Contains(worker.Owner) || worker.UnusedFor >= settings.ReleaseAfter)
            {
                Release(worker);
            }
            else if (surplus > released.Count && worker.Handles is not null)
            {
                // A worker that is released for another reason reduces the surplus too.
                Release(worker);
            }
        }

        return released;

        void Release(BorrowedWorker worker)
        {
            released.Add(worker.Id);
            for (var i = 0; i < backlog.Count; i++)
            {
                handlers[i] -= worker.Handles is { } handles && handles.Contains(backlog[i].Type) ? 1 : 0;
            }
        }
    }

    /// <summary>Counts the workers that handle each type of the backlog: those at home and the borrowed ones that have arrived.</summary>
    private static int[] CountHandlers(in BalanceInput view)
    {
        var borrowed = view.Borrowed;
        return [.. view.Backlog.Select(waiting => waiting.OwnWorkers + borrowed.Count(worker => worker.Handles is { } handles && handles.Contains(waiting.Type)))];
    }

    /// <summary>Returns whether another worker handles each type of the backlog that this worker handles, or may handle when it has not arrived.</summary>
    private static bool CanSpare(BorrowedWorker worker, IReadOnlyList<BacklogType> backlog, int[] handlers)
    {
        for (var i = 0; i < backlog.Count; i++)
        {
            if (worker.Handles is { } handles ? handles.Contains(backlog[i].Type) && handlers[i] <= 1 : handlers[i] == 0)
            {
                return false;
            }
        }

        return true;
    }
}
