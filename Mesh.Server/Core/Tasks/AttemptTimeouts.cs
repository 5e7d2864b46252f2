using System.Diagnostics.CodeAnalysis;

namespace Mesh.Server.Core.Tasks;

/// <summary>The running attempts at tasks with <see cref="TaskLimits.Timeout"/>, in the order in which their time ends. Other tasks are not in it.</summary>
internal sealed class AttemptTimeouts
{
    private readonly SortedSet<TaskEntry> _running = new(Comparer<TaskEntry>.Create(Compare));
    private long _order;

    /// <summary>The number of running attempts with a timeout.</summary>
    public int Count => _running.Count;

    /// <summary>The time when the next attempt has run too long, or null.</summary>
    public DateTimeOffset? NextDue => _running.Min?.TimesOutAt.Due;

    /// <summary>Adds an attempt that starts now. Does nothing when its task has no timeout.</summary>
    public void Add(TaskEntry task, DateTimeOffset now)
    {
        if (task.Record.Limits?.Timeout is { } timeout)
        {
            task.TimesOutAt = (now + timeout, ++_order);
            _running.Add(task);
        }
    }

    /// <summary>Removes an attempt that has ended. Does nothing when its task has no timeout.</summary>
    public void Remove(TaskEntry task)
    {
        if (task.TimesOutAt != default)
        {
            _running.Remove(task);
            task.TimesOutAt = default;
        }
    }

    /// <summary>Finds an attempt that has run too long. Returns false when there is none.</summary>
    public bool TryPeekDue(DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        task = _running.Min;
        return task is not null && task.TimesOutAt.Due <= now;
    }

    private static int Compare(TaskEntry a, TaskEntry b) => a.TimesOutAt.CompareTo(b.TimesOutAt);
}
