using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>Finds which task a status answers (docs/protocol.md, "Optional fields"). A status that may mean one of several tasks answers none.</summary>
internal static class TaskStatusMatcher
{
    /// <param name="worker">The worker that the status names; null when it is not here.</param>
    /// <param name="task">The task; null when it is not known any more.</param>
    /// <param name="error">Why the status is refused, naming the field that it lacks.</param>
    public static bool TryFind(TaskStatus status, WorkerEntry? worker, out TaskId? task, [NotNullWhen(false)] out string? error)
    {
        (task, error) = (status.Id, null);
        if (task is not null)
        {
            return true;
        }

        List<TaskEntry> running = worker?.Running ?? [];
        if (status.Type is not { } type)
        {
            task = running.Count == 1 ? running[0].Id : null;
            error = task is null ? $"TASK: is missing, and \"{status.Worker}\" has {running.Count} tasks" : null;
            return error is null;
        }

        var count = 0;
        foreach (var candidate in running)
        {
            if (candidate.Type == type)
            {
                task = candidate.Id;
                count++;
            }
        }

        // What a worker reports late may be of a task that it does not have any more: a QUERY's answer is harmless there, an UPDATE's is not.
        if (count > 1 || (count == 1 && running.Count > 1 && type != TaskType.Query))
        {
            (task, error) = (null, $"TASK_ID: is missing, and \"{status.Worker}\" has {running.Count} tasks");
            return false;
        }

        if (count == 0 && worker?.LastTask is { } last && last.Type == type)
        {
            task = last.Id;
        }

        return true;
    }
}
