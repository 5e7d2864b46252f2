using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>Finds the task that a status answers (docs/protocol.md, "Optional fields"). An ambiguous status is refused.</summary>
internal static class TaskStatusMatcher
{
    /// <summary>Returns false when the status is refused.</summary>
    /// <param name="worker">The worker that the status names, or null when it is not connected.</param>
    /// <param name="task">The id of the task, or null when the worker's task is not known any more.</param>
    /// <param name="error">The error when the status is refused. It starts with the name of the missing field.</param>
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

        // A late status may answer a task that the worker no longer has. Matching it to another QUERY is harmless, but matching it to another UPDATE is not.
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
