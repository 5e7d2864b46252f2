using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Brings tasks that have failed together with suitable workers (<see cref="RetryPolicy"/>): rather one that has not failed at the task, and that has not failed lately.
/// A less suitable one gets the task only while no better one is here.
/// </summary>
internal sealed class RetryRouter(CoreState core)
{
    /// <summary>How many tasks, or get_tasks, are looked at in one search.</summary>
    private const int SearchLimit = 64;

    /// <summary>A task does not wait for a better worker for longer than so many leases.</summary>
    private const int MaxWaitInLeases = 10;

    /// <summary>That the better workers have left is noticed within this time.</summary>
    private static readonly TimeSpan RetryScanInterval = TimeSpan.FromSeconds(1);

    private DateTimeOffset _nextScan;

    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Tasks.Retries.NextDue;
            return core.Tasks.Retries.FirstDue is not null && core.Workers.HasReady && !(next < _nextScan) ? _nextScan : next;
        }
    }

    /// <summary>Takes the longest waiting retry that a worker may have.</summary>
    public bool TryTake(WorkerEntry worker, DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        var looked = 0;
        for (var node = core.Tasks.Retries.FirstDue; node is not null && looked < SearchLimit; node = node.Next, looked++)
        {
            if (worker.Handles.Handles(node.Value.Type) && IsSuitable(node.Value, worker, now))
            {
                task = node.Value;
                core.Tasks.TakeRetry(task, now);
                return true;
            }
        }

        task = null;
        return false;
    }

    /// <summary>Finds the longest held get_task of a worker that may have a retry.</summary>
    public PendingPoll? FindPendingPoll(TaskEntry task, DateTimeOffset now)
    {
        if (core.Stopping)
        {
            return null;
        }

        PendingPoll? found = null;
        for (var types = TaskTypes.Query; types <= TaskTypes.All; types++)
        {
            var looked = 0;
            for (var node = core.Workers.FirstReady(types, task.Type); node is not null && looked < SearchLimit; node = node.Next, looked++)
            {
                if (IsSuitable(task, node.Value.Worker, now))
                {
                    found = found is null || node.Value.Order < found.Order ? node.Value : found;
                    break;
                }
            }
        }

        return found;
    }

    /// <summary>Whether a task becomes a dead letter if its running attempt fails now.</summary>
    public bool IsExhausted(TaskEntry task, DateTimeOffset now)
    {
        var max = core.Settings.Tasks.MaxAttempts;
        if (task.Attempts < max)
        {
            return false;
        }

        var worker = task.Worker;
        var workers = task.Failures.Count + (worker is null || task.HasFailedOn(worker.Id) ? 0 : 1);
        return RetryPolicy.IsExhausted(task.Attempts, max, workers, workers <= 1 && HasBetterWorker(task, RetryPolicy.FailedBeforeRank, worker, now));
    }

    /// <summary>The tasks that are due and have not found a worker: now and then they are offered again.</summary>
    public IReadOnlyList<TaskEntry> TakeDueRetries(DateTimeOffset now)
    {
        if (core.Tasks.Retries.FirstDue is null || !core.Workers.HasReady || _nextScan > now)
        {
            return [];
        }

        _nextScan = now + RetryScanInterval;
        var waiting = new List<TaskEntry>();
        for (var node = core.Tasks.Retries.FirstDue; node is not null && waiting.Count < SearchLimit; node = node.Next)
        {
            waiting.Add(node.Value);
        }

        return waiting;
    }

    private bool IsSuitable(TaskEntry task, WorkerEntry worker, DateTimeOffset now)
    {
        var rank = RetryPolicy.Rank(worker.Health, task.HasFailedOn(worker.Id));
        return rank == RetryPolicy.BestRank
            || now - task.QueuedAt > MaxWaitInLeases * core.Settings.Tasks.LeaseTime
            || !HasBetterWorker(task, rank, worker, now);
    }

    private bool HasBetterWorker(TaskEntry task, int rank, WorkerEntry? than, DateTimeOffset now)
    {
        // A worker that is there asks again, or answers, within this time.
        var silence = core.Settings.Tasks.LeaseTime + core.Settings.Tasks.HoldTime;
        foreach (var other in core.Workers.All)
        {
            if (other != than && !other.IsGone && other.Handles.Handles(task.Type) && now - other.LastSeen <= silence
                && core.Loans.Find(other.Id)?.State is null or LoanState.Expected or LoanState.Arrived
                && RetryPolicy.Rank(other.Health, task.HasFailedOn(other.Id)) < rank)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>When a failed task is tried again, by whom, and when it is given up. Pure functions.</summary>
internal static class RetryPolicy
{
    /// <summary>A task may come back so often without a counted attempt; further returns count, so that every task ends.</summary>
    public const int MaxReturns = 16;

    /// <summary>The rank of a worker that has not failed lately. The lower the rank of a worker, the rather it gets a retry.</summary>
    public const int BestRank = 0;

    /// <summary>The rank of a worker that has failed at this task; it gets the task again only while there is nobody else.</summary>
    public const int FailedBeforeRank = 2;

    /// <summary>How well a worker suits a task that has failed before: 0 is best.</summary>
    public static int Rank(in WorkerHealth health, bool hasFailedHere) =>
        health.IsSetAside ? 3 : hasFailedHere ? FailedBeforeRank : health.Failures > 0 ? 1 : BestRank;

    /// <summary>
    /// Whether a task that has just failed becomes a dead letter. The attempts of one worker alone do not make it one while another worker can take it, but for
    /// twice the limit, so that every task ends.
    /// </summary>
    /// <param name="workers">How many workers have failed at it.</param>
    /// <param name="othersCanTake">Whether a worker is here that has not failed at it.</param>
    public static bool IsExhausted(int attempts, int maxAttempts, int workers, bool othersCanTake) =>
        attempts >= maxAttempts && (maxAttempts == 1 || workers > 1 || !othersCanTake || attempts >= 2 * maxAttempts);
}
