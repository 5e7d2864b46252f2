using System.Diagnostics.CodeAnalysis;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Selects workers for tasks that have failed, and decides when such a task becomes a dead letter. Workers are preferred in the order of <see cref="Rank"/>: those that
/// have not failed at the task and have not failed recently come first. A worker with a higher rank receives the task only while no better worker is connected.
/// </summary>
internal sealed class RetryRouter(CoreState core)
{
    /// <summary>The number of times that a task can be returned without a counted attempt. Each further return is a failed attempt, so that every task is settled in the end.</summary>
    public const int MaxReturns = 16;

    /// <summary>The rank of a worker without recent failures. Workers with a lower rank are preferred.</summary>
    private const int BestRank = 0;

    /// <summary>The rank of a worker that has failed at another task since its last success.</summary>
    private const int FailedRank = 1;

    /// <summary>The rank of a worker that has failed at the task.</summary>
    private const int FailedBeforeRank = 2;

    /// <summary>The largest number of tasks or pending polls that one search examines.</summary>
    private const int SearchLimit = 64;

    /// <summary>The longest time that a task waits for a better worker, in multiples of the task lease.</summary>
    private const int MaxWaitInLeases = 10;

    /// <summary>The time between two scans for retries whose better workers have disconnected.</summary>
    private static readonly TimeSpan RetryScanInterval = TimeSpan.FromSeconds(1);

    private DateTimeOffset _nextScan;

    /// <summary>The time when the next scan takes place, or null.</summary>
    public DateTimeOffset? NextDeadline => core.Tasks.Retries.First is not null && core.Workers.Polls.HasReady ? _nextScan : null;

    /// <summary>
    /// Returns whether a task that has just failed becomes a dead letter. When only one worker has failed at it and another worker can take it, the limit of attempts is twice
    /// <paramref name="maxAttempts"/>.
    /// </summary>
    /// <param name="workers">The number of workers that have failed at the task.</param>
    /// <param name="othersCanTake">Whether a worker that has not failed at the task is connected.</param>
    public static bool IsExhausted(int attempts, int maxAttempts, int workers, bool othersCanTake) =>
        attempts >= maxAttempts && (maxAttempts == 1 || workers > 1 || !othersCanTake || attempts >= 2 * maxAttempts);

    /// <summary>Takes the retry that has waited longest among those for which the worker is suitable. Returns false when there is none.</summary>
    public bool TryTake(WorkerEntry worker, DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        var looked = 0;
        for (var node = core.Tasks.Retries.First; node is not null && looked < SearchLimit; node = node.Next, looked++)
        {
            if (worker.Handles.Contains(node.Value.Type) && IsSuitable(node.Value, worker, now))
            {
                task = node.Value;
                core.Tasks.TakeRetry(task, now);
                return true;
            }
        }

        task = null;
        return false;
    }

    /// <summary>Finds the oldest pending poll of a worker that is suitable for a task, or null.</summary>
    public PendingPoll? FindPendingPoll(TaskEntry task, DateTimeOffset now)
    {
        if (core.Stopping)
        {
            return null;
        }

        PendingPoll? found = null;
        foreach (var polls in core.Workers.Polls.ReadyFor(task.Type))
        {
            var looked = 0;
            for (var node = polls.First; node is not null && looked < SearchLimit; node = node.Next, looked++)
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

    /// <summary>Returns whether a task becomes a dead letter if its running attempt fails now.</summary>
    public bool IsExhausted(TaskEntry task, DateTimeOffset now)
    {
        var max = RetryPolicy.MaxAttempts(task.Record, core.Settings.Tasks);
        if (task.Attempts < max)
        {
            return false;
        }

        var worker = task.Worker;
        var workers = task.Failures.Count + (worker is null || task.HasFailedOn(worker.Id) ? 0 : 1);
        return IsExhausted(task.Attempts, max, workers, workers <= 1 && HasBetterWorker(task, FailedBeforeRank, worker, now));
    }

    /// <summary>Returns the queued retries once per scan interval, for another attempt to dispatch them, and an empty list otherwise.</summary>
    public IReadOnlyList<TaskEntry> TakeDueRetries(DateTimeOffset now)
    {
        if (core.Tasks.Retries.First is null || !core.Workers.Polls.HasReady || _nextScan > now)
        {
            return [];
        }

        _nextScan = now + RetryScanInterval;
        var waiting = new List<TaskEntry>();
        for (var node = core.Tasks.Retries.First; node is not null && waiting.Count < SearchLimit; node = node.Next)
        {
            waiting.Add(node.Value);
        }

        return waiting;
    }

    /// <summary>Returns the rank of a worker for a task that has failed before, from 0 (best) to 3.</summary>
    private static int Rank(in WorkerHealth health, bool hasFailedHere) =>
        health.IsSetAside ? 3 : hasFailedHere ? FailedBeforeRank : health.Failures > 0 ? FailedRank : BestRank;

    private bool IsSuitable(TaskEntry task, WorkerEntry worker, DateTimeOffset now)
    {
        var rank = Rank(worker.Health, task.HasFailedOn(worker.Id));
        return rank == BestRank
            || now - task.QueuedAt > MaxWaitInLeases * core.Settings.Tasks.LeaseTime
            || !HasBetterWorker(task, rank, worker, now);
    }

    private bool HasBetterWorker(TaskEntry task, int rank, WorkerEntry? than, DateTimeOffset now)
    {
        var connected = core.Workers.Homes.Connected.CountOf(task.Type);
        if (connected.Serving == 0 || (rank <= FailedRank && connected.Healthy == 0))
        {
            return false;
        }

        // A connected worker sends a status or another get_task within this time.
        var silence = core.Settings.Tasks.LeaseTime + core.Settings.Tasks.HoldTime;
        foreach (var other in core.Workers.All)
        {
            if (other != than && !other.IsGone && other.Handles.Contains(task.Type) && now - other.LastSeen <= silence
                && core.Loans.Find(other.Id)?.State is null or LoanState.Expected or LoanState.Arrived
                && Rank(other.Health, task.HasFailedOn(other.Id)) < rank)
            {
                return true;
            }
        }

        return false;
    }
}
