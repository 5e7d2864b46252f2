using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that a failed task goes to another worker if there is one, and that it does not become a dead letter by one worker alone.</summary>
internal sealed class RetryCheck(SimWorld world)
{
    /// <summary>A server waits for another worker for this number of leases at most. Slightly less than in the server, because the clocks are wrong.</summary>
    private const int MaxWaitInLeases = 9;

    /// <summary>A worker that was seen within this time is certainly there.</summary>
    private static readonly TimeSpan Recently = TimeSpan.FromSeconds(5);

    // Compared by reference: a task that another process has loaded is a new object without a history.
    private readonly Dictionary<TaskRecord, History> _histories = new(ReferenceEqualityComparer.Instance);

    private readonly Dictionary<(ServerNode, WorkerId), DateTimeOffset> _failures = [];

    /// <summary>The time when the last loan of a worker ended.</summary>
    private readonly Dictionary<(ServerNode, WorkerId), TimeSpan> _loanEnds = [];

    public void OnDispatch(ServerNode server, TaskEntry task)
    {
        if (task.Worker is { } given)
        {
            CheckPause(server, given);
        }

        var history = HistoryOf(task.Record);
        var worker = task.Worker?.Id ?? default;
        if (history.Failed.Contains(worker))
        {
            if (world.Scheduler.Now - history.LastFailure < MaxWaitInLeases * server.Settings.Tasks.LeaseTime && FindOther(server, task.Type, history) is { } other)
            {
                throw new InvariantViolation(Invariant.RetriesGoElsewhere, $"{server.Name} gives {task.Id} to {worker} again, on which it failed, and {other.Id} is there");
            }

            world.Coverage.Count("retry: by the same worker, for want of another");
        }
        else if (history.Failed.Count > 0)
        {
            world.Coverage.Count("retry: by another worker");
        }

        history.Given.Add(worker);
    }

    /// <summary>Called when a worker that still runs a queued task resumes it.</summary>
    public void OnResumed(TaskRecord task, WorkerId worker) => HistoryOf(task).Given.Add(worker);

    /// <summary>A task that is dispatched in the same step can have been dispatched before.</summary>
    public void OnLoanEnded(ServerNode server, WorkerId worker) => _loanEnds[(server, worker)] = world.Scheduler.Now;

    public void OnPutBack(ServerNode server, TaskRecord task)
    {
        if (_histories.TryGetValue(task, out var history) && history.Given.Count > 0)
        {
            _failures[(server, history.Given[^1])] = server.Now;
            history.Failed.Add(history.Given[^1]);
            history.LastFailure = world.Scheduler.Now;
        }
    }

    /// <summary>Called before a server makes a dead letter of a task.</summary>
    public void OnGivenUp(ServerNode server, TaskRecord task)
    {
        var (max, attempts) = (RetryPolicy.MaxAttempts(task, server.Settings.Tasks), server.Core?.FindTask(task.Id)?.Attempts);
        if (max > 1 && attempts < 2 * max && _histories.TryGetValue(task, out var history) && !history.IsGivenUp)
        {
            history.IsGivenUp = true;
            if (history.Given.Distinct().Count() == 1 && FindOther(server, task.Type, history) is { } other)
            {
                throw new InvariantViolation(Invariant.RetriesGoElsewhere, $"{server.Name} gives {task.WireId} up, which only {history.Given[^1]} has tried, and {other.Id} is there");
            }
        }
    }

    private History HistoryOf(TaskRecord task)
    {
        if (!_histories.TryGetValue(task, out var history))
        {
            _histories.Add(task, history = new History());
            if (task is { Attempts: > 0, Worker: { } earlier })
            {
                // It failed before this process loaded it.
                history.Given.Add(earlier);
            }
        }

        return history;
    }

    private void CheckPause(ServerNode server, WorkerEntry worker)
    {
        if (worker.Health is not { IsLimited: true } health)
        {
            _failures.Remove((server, worker.Id));
            return;
        }

        if (server.Settings.Tasks.SetAsideAfter is > 0 and var limit && health.Strikes >= limit && !health.IsSetAside)
        {
            throw new InvariantViolation(Invariant.FailingWorkersPause, $"{server.Name} does not set {worker.Id} aside, which failed at {health.Strikes} tasks that others did");
        }

        var pause = health.IsSetAside ? WorkerHealth.SetAsidePause : WorkerHealth.FirstPause;
        if (worker.Running.Count > 1 || (_failures.Remove((server, worker.Id), out var failed) && server.Now - failed < pause))
        {
            throw new InvariantViolation(Invariant.FailingWorkersPause, $"{server.Name} gives {worker.Id} a task without a pause, which failed at {health.Strikes} tasks that others did");
        }

        world.Coverage.Count("sick worker: given a task after a pause");
    }

    private WorkerEntry? FindOther(ServerNode server, TaskType type, History history) => world.AllWorkers
        .Select(worker => new WorkerId(worker.Name))
        .Where(id => !history.Given.Contains(id) && _loanEnds.GetValueOrDefault((server, id)) != world.Scheduler.Now)
        .Select(id => server.Core!.FindWorker(id))
        .FirstOrDefault(worker => worker is { IsGone: false, Health.IsSetAside: false } && worker.Handles.Contains(type) && server.Now - worker.LastSeen < Recently
            && !server.Core!.GetStatus().Loans.Any(loan => loan.Worker == worker.Id && loan.State != LoanState.Arrived));

    private sealed class History
    {
        public List<WorkerId> Given { get; } = [];

        public HashSet<WorkerId> Failed { get; } = [];

        public TimeSpan LastFailure { get; set; }

        public bool IsGivenUp { get; set; }
    }
}
