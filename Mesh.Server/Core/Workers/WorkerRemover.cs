using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Workers;

/// <summary>Handles closed sessions, and removes the workers that do not return in time. Their running tasks are queued again.</summary>
internal sealed class WorkerRemover(CoreState core, TaskLifecycle tasks, WorkerMonitor monitor)
{
    /// <summary>The time between two searches for line workers that have sent nothing for <see cref="TasksOptions.LineWorkerTimeout"/>.</summary>
    private static readonly TimeSpan LineWorkerCheckInterval = TimeSpan.FromSeconds(1);

    private DateTimeOffset _nextLineWorkerCheck;

    /// <summary>The time when <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Workers.NextGraceEnd;
            return core.Workers.HasLineWorkers && !(next < _nextLineWorkerCheck) ? _nextLineWorkerCheck : next;
        }
    }

    /// <summary>
    /// Handles a closed session. Tasks that did not reach their worker are queued again at once. Workers that were leaving for a loan and have no tasks are removed at once. The
    /// grace period of the other workers starts.
    /// </summary>
    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        var workers = core.Workers.Close(session, now);
        foreach (var task in core.Deliveries.Close(session, end, now))
        {
            tasks.ReturnUndelivered(task, end == SessionEnd.Dropped ? "its connection was dropped" : "its connection was reset", now);
        }

        foreach (var worker in workers)
        {
            if (worker.Running.Count == 0 && core.Loans.Find(worker.Id) is { State: LoanState.Lent or LoanState.Returned })
            {
                Remove(worker, now);
            }
        }
    }

    /// <summary>Removes the workers whose grace period has ended and the line workers that have sent nothing for too long.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (core.Workers.FindGraceExpired(now) is { } lost)
        {
            Remove(lost, now);
        }

        if (_nextLineWorkerCheck <= now)
        {
            _nextLineWorkerCheck = now + LineWorkerCheckInterval;
            RemoveInactiveLineWorkers(now);
        }
    }

    /// <summary>Removes a worker from memory. The attempts that it is running have failed.</summary>
    public void Remove(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.Running.Count > 0)
        {
            worker.Running[^1].LostBy = worker.Id;
            tasks.Fail(worker.Running[^1], $"worker {worker.Id} is gone", now);
        }

        core.Workers.Remove(worker);
        monitor.OnRemoved(worker);
        if (worker.Home == core.Settings.Id && core.Loans.Find(worker.Id) is null)
        {
            core.Report(new WorkerLeft(worker.Id, worker.Home));
        }
    }

    private void RemoveInactiveLineWorkers(DateTimeOffset now)
    {
        if (!core.Workers.HasLineWorkers)
        {
            return;
        }

        var timeout = core.Settings.Tasks.LineWorkerTimeout;
        foreach (var worker in core.Workers.All.Where(worker =>
            worker.Framing == Framing.Line && worker.Running.Count == 0 && worker.LastSeen + timeout <= now).ToArray())
        {
            Remove(worker, now);
        }
    }
}
