using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks when tasks run: not before their time, and in the order of their priorities and waiting times (docs/operations.md, "Priorities and delays").</summary>
internal sealed class WaitingTimeCheck(SimWorld world)
{
    /// <summary>The times before which posted tasks may not run, as their clients gave them.</summary>
    private readonly Dictionary<TaskId, DateTimeOffset> _notBefore = [];

    /// <summary>Called when a client posts a task.</summary>
    public void OnPosted(TaskRecord task)
    {
        if (task.NotBefore is { } time)
        {
            _notBefore[task.WireId] = time;
        }
    }

    public void OnDispatch(ServerNode server, TaskEntry task)
    {
        if (_notBefore.TryGetValue(task.Id, out var time))
        {
            if (server.Now < time)
            {
                throw new InvariantViolation(Invariant.NothingRunsEarly, $"{server.Name} gives out {task.Id}, {time - server.Now} before its time");
            }

            world.Coverage.Count(task.DueAt == time ? "schedule: a delayed task given out" : "schedule: a task given out whose time had passed");
        }

        if (task.Worker is { } worker && task is { Attempts: 1, UncountedReturns: 0 })
        {
            CheckOrder(server, task, worker.Handles);
        }
    }

    /// <summary>Checks that no task waits that the dispatched one may not overtake. Tasks that came in the same step as the dispatch are left out.</summary>
    private void CheckOrder(ServerNode server, TaskEntry task, TaskTypeSet handles)
    {
        var (later, lower) = (false, false);
        foreach (var other in server.Core!.Unsettled)
        {
            if (other is not { Step: TaskStep.Queued, IsRetry: false } || other.QueuedAt >= task.StartedAt || !handles.Contains(other.Type))
            {
                continue;
            }

            if (task.QueuedAt - other.QueuedAt > (task.Priority - other.Priority) * server.Settings.Tasks.PriorityAge)
            {
                throw new InvariantViolation(
                    Invariant.WaitingTimesAreBounded,
                    $"{server.Name} gives out {task.Id} of priority {task.Priority}, and {other.Id} of priority {other.Priority} came {task.QueuedAt - other.QueuedAt} before it");
            }

            later |= task.QueuedAt > other.QueuedAt;
            lower |= task.Priority < other.Priority;
        }

        world.Coverage.Count("priority: a task overtook an earlier one", later ? 1 : 0);
        world.Coverage.Count("priority: a task came before one of a higher priority", lower ? 1 : 0);
    }
}
