using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that no attempt at a task starts after a client was told that it is cancelled, and that such a task does not become a dead letter.</summary>
internal sealed class CancelCheck(SimWorld world)
{
    /// <summary>The tasks of which a client was told that they are cancelled, with the server that stores them and their client id.</summary>
    private readonly Dictionary<TaskId, (ServerNode Server, string Id)> _cancelled = [];

    /// <summary>Called when a server answers a request.</summary>
    public void OnAnswer(ServerNode server, CancelRequest request, CancelOutcome outcome)
    {
        if (outcome is not (CancelOutcome.Cancelled or CancelOutcome.Requested) || world.DataLossTracker.IsStoreStale(server))
        {
            return;
        }

        var task = request.Task ?? request.DeadLetter!;
        var storedBy = StoredBy(task) ?? server;
        var isStored = outcome == CancelOutcome.Requested ? storedBy.Store.Tasks.GetValueOrDefault(task.WireId) is not { IsCancelRequested: not true }
            : request.Task is null ? storedBy.Store.Dead.GetValueOrDefault(task.Id)?.WireId != task.WireId
            : !storedBy.Store.Tasks.ContainsKey(task.WireId) || world.Mutation == Mutation.CancelledTaskKept;
        if (!isStored)
        {
            throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} answers {outcome} for {task.WireId}, and that is not stored");
        }

        if (request.Task is not null)
        {
            _cancelled[task.WireId] = (storedBy, task.Id);
        }
    }

    /// <summary>Called when a client finds a settled task that it wanted to cancel.</summary>
    public void OnFound(ServerNode server, TaskRecord result)
    {
        if (result.State == TaskState.Cancelled)
        {
            _cancelled[result.WireId] = (server, result.Id);
        }
    }

    /// <summary>Called when a task is sent to a worker, or when a worker resumes it.</summary>
    public void OnAttempt(ServerNode server, TaskId task)
    {
        if (_cancelled.ContainsKey(task))
        {
            throw new InvariantViolation(Invariant.CancelledTasksStop, $"{server.Name} starts an attempt at {task}, which was cancelled");
        }
    }

    public void OnDeadLettered(ServerNode server, TaskRecord task)
    {
        if (_cancelled.ContainsKey(task.WireId))
        {
            throw new InvariantViolation(Invariant.CancelledTasksStop, $"{server.Name} makes a dead letter of {task.WireId}, which was cancelled");
        }
    }

    /// <summary>
    /// Called when the store of a server has lost writes, or a process with a newer memory than its store has ended. Forgets the tasks of which neither the store nor the memory of
    /// the server knows that they were cancelled.
    /// </summary>
    public void ForgetLost(ServerNode server)
    {
        foreach (var (task, (_, id)) in _cancelled.Where(cancelled => cancelled.Value.Server == server).ToList())
        {
            var inMemory = server.Core?.FindTask(id);
            var isKnown = (server.Store.Results.TryGetValue(id, out var result) && result.WireId == task)
                || (server.Store.Tasks.TryGetValue(task, out var stored) && stored.IsCancelRequested == true)
                || (inMemory is { IsCancelRequested: true } && inMemory.WireId == task);
            if (!isKnown)
            {
                world.Coverage.Count("power loss: a cancel lost");
                _cancelled.Remove(task);
            }
        }
    }

    private ServerNode? StoredBy(TaskRecord task) => task.StoredBy is { } adopted ? world.Servers.Find(server => server.Name == adopted.Value) : null;
}
