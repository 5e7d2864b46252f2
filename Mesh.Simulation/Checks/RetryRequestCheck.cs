using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that a process of a server follows RETRY and RETRY_AFTER of its workers (docs/protocol.md, "The task cycle").</summary>
internal sealed class RetryRequestCheck(SimWorld world)
{
    // Compared by reference: a task that another process has loaded is a new object, and the requests of workers are not stored.
    private readonly HashSet<TaskRecord> _refused = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<TaskRecord, DateTimeOffset> _earliest = new(ReferenceEqualityComparer.Instance);

    /// <summary>Called before a server handles a status.</summary>
    public void OnStatus(ServerNode server, TaskStatus status)
    {
        if (status is not { Outcome: TaskOutcome.Nok, HandedBack: false } || server.Core!.FindWorker(status.Worker) is not { } worker
            || !TaskStatusHandler.TryFindTask(status, worker, out var id, out _) || worker.Running.FirstOrDefault(running => running.Id == id) is not { } task)
        {
            return;
        }

        if (!status.MayRetry)
        {
            world.Coverage.Count("retry: refused by the worker");
            _refused.Add(task.Record);
        }
        else if (status.RetryAfter is { } delay)
        {
            world.Coverage.Count("retry: delayed by the worker");
            _earliest[task.Record] = server.Now + delay;
        }
    }

    /// <summary>Whether the worker that had the task has refused another attempt.</summary>
    public bool IsRefused(TaskRecord task) => _refused.Contains(task);

    /// <summary>Called when a worker that still runs a task resumes it. This is the next attempt, and was running when another worker asked for a delay. The delay after it is that of its own end.</summary>
    public void OnResumed(TaskRecord task) => _earliest.Remove(task);

    public void OnDispatch(ServerNode server, TaskEntry task)
    {
        if (IsRefused(task.Record))
        {
            throw new InvariantViolation(Invariant.RetriesAreAsRequested, $"{server.Name} gives out {task.Id} again, for which a worker refused another attempt");
        }

        if (_earliest.Remove(task.Record, out var earliest) && server.Now < earliest)
        {
            throw new InvariantViolation(Invariant.RetriesAreAsRequested, $"{server.Name} gives out {task.Id} again, {earliest - server.Now} before the time that a worker asked for");
        }
    }
}
