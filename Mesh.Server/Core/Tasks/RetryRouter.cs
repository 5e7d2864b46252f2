using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;

namespace Mesh.Server.Core;

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
