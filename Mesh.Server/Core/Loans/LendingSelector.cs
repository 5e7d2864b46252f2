using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>The number of workers of the owner that handle the same types, are at home and are not limited because of failures.</summary>
internal readonly record struct HomeCount(TaskTypeSet Handles, int Workers);

/// <summary>A worker of the owner that can be lent: it is at home, not limited because of failures, runs no task, handles a type and has not just ignored a REDIRECT.</summary>
/// <param name="IsWaiting">True when a get_task of it is held, so that it can leave immediately.</param>
/// <param name="LastShortLoan">The start of its last loan if that was a short one, else the default value.</param>
internal readonly record struct HomeWorker(WorkerId Id, TaskTypeSet Handles, bool IsWaiting, DateTimeOffset LastShortLoan);

/// <summary>A WORKER_REQUEST as the owner sees it.</summary>
/// <param name="Needed">The number of workers. Null, which older peers send, counts as 1.</param>
/// <param name="Types">The types of which a worker must handle at least one. Null, which older peers send, means any worker.</param>
internal readonly record struct LendingRequest(int? Needed, TaskTypeSet? Types)
{
    /// <summary>The number of workers.</summary>
    public int Workers => Needed ?? 1;

    /// <summary>Returns whether workers that handle these types are of use for the request.</summary>
    public bool Accepts(TaskTypeSet handles) => handles.Count > 0 && Types?.Overlaps(handles) != false;
}

/// <summary>Decides which workers an owner lends (docs/protocol.md, "A loan, step by step"). Depends on its parameters only.</summary>
internal static class LendingSelector
{
    /// <summary>
    /// Selects the workers to lend. After each of them at least <see cref="BalancingOptions.MinWorkersBeforeSharing"/> workers stay, and as many for each type that it
    /// handles, or one for each waiting task of the type if these are more. While the queue is above the high mark, only workers that handle no type of the backlog are lent, and
    /// none for a request without types.
    /// </summary>
    /// <param name="atHome">All workers that are at home and not limited, by their types.</param>
    /// <param name="lendable">Those of them that can be lent and that the request accepts.</param>
    /// <param name="backlog">The number of waiting tasks of each type.</param>
    public static List<WorkerId> Select(
        IReadOnlyCollection<HomeCount> atHome, IReadOnlyCollection<HomeWorker> lendable, IReadOnlyDictionary<TaskType, int> backlog, int queue, in LendingRequest request, BalancingOptions settings)
    {
        var isAboveHighMark = queue > settings.MaxQueueThreshold;
        var workers = atHome.Sum(group => group.Workers);
        if ((isAboveHighMark && request.Types is null) || workers <= settings.MinWorkersBeforeSharing)
        {
            return [];
        }

        // Greedy: workers that can leave immediately come first, and of these the ones with the fewest types. Lending them reduces the fewest counts. Workers take turns after short loans,
        // because one that never reaches its borrower must not keep the others from going.
        var staying = CountHandlers(atHome);
        var chosen = new List<WorkerId>();
        foreach (var worker in lendable.OrderByDescending(worker => worker.IsWaiting)
            .ThenBy(worker => worker.LastShortLoan)
            .ThenBy(worker => worker.Handles.Count))
        {
            if (chosen.Count >= request.Workers || workers - chosen.Count <= settings.MinWorkersBeforeSharing)
            {
                break;
            }

            if (CanSpare(worker.Handles))
            {
                chosen.Add(worker.Id);
                foreach (var type in worker.Handles.AsSpan())
                {
                    staying[type]--;
                }
            }
        }

        return chosen;

        bool CanSpare(TaskTypeSet handles)
        {
            foreach (var type in handles.AsSpan())
            {
                var waiting = backlog.GetValueOrDefault(type);
                if ((isAboveHighMark && waiting > 0) || staying[type] <= Math.Max(settings.MinWorkersBeforeSharing, waiting))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private static Dictionary<TaskType, int> CountHandlers(IReadOnlyCollection<HomeCount> atHome)
    {
        var counts = new Dictionary<TaskType, int>();
        foreach (var group in atHome)
        {
            foreach (var type in group.Handles.AsSpan())
            {
                counts[type] = counts.GetValueOrDefault(type) + group.Workers;
            }
        }

        return counts;
    }
}
