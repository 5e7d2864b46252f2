using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>One attempt at a task: its input, and how far it is.</summary>
public sealed class TaskAttempt
{
    private readonly NewTask _task;
    private double _progress = double.NaN;

    internal TaskAttempt(NewTask task) => _task = task;

    /// <summary>The TASK_ID, equal in all attempts at the task. Null at servers that do not send it.</summary>
    public TaskId? Id => _task.Id;

    public TaskType Type => _task.Type;

    /// <summary>The account of a QUERY or UPDATE. Null for other types.</summary>
    public string? User => _task.User;

    /// <summary>The amount that an UPDATE adds. Null for other types.</summary>
    public decimal? Amount => _task.Amount;

    /// <summary>The input of a task of another type than QUERY and UPDATE, or null.</summary>
    public RawJson? Payload => _task.Payload;

    /// <summary>The last reported progress, or null.</summary>
    internal double? Progress => Volatile.Read(ref _progress) is var progress && double.IsNaN(progress) ? null : progress;

    /// <summary>
    /// Sets the part of the work that is done. The worker sends the last value to the server with its next RUNNING (docs/protocol.md, "Long work"). Can be called from any
    /// thread and as often as needed.
    /// </summary>
    /// <param name="progress">From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 1.</exception>
    public void ReportProgress(double progress)
    {
        if (progress is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(progress), progress, "The progress is not from 0 to 1.");
        }

        Volatile.Write(ref _progress, progress);
    }
}
