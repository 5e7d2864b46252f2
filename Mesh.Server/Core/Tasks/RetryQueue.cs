using System.Diagnostics.CodeAnalysis;

namespace Mesh.Server.Core.Tasks;

/// <summary>The queued tasks that a worker had before. Each waits for the end of its retry delay, and then for a suitable worker.</summary>
internal sealed class RetryQueue
{
    private readonly PriorityQueue<(TaskEntry Task, long Order), (DateTimeOffset Due, long Order)> _delayed = new();
    private readonly LinkedList<TaskEntry> _due = [];

    /// <summary>The number of entries, including obsolete ones.</summary>
    public int EntryCount => _delayed.Count + _due.Count;

    /// <summary>The first task whose delay is over. The others follow it in its list.</summary>
    public LinkedListNode<TaskEntry>? FirstDue => _due.First;

    /// <summary>The time when the next delay ends, or null when no task is delayed.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            while (_delayed.TryPeek(out var head, out var key))
            {
                if (IsCurrent(head.Task, head.Order))
                {
                    return key.Due;
                }

                _delayed.Dequeue();
            }

            return null;
        }
    }

    /// <param name="due">The end of the retry delay. The task is due at once if it is not after <paramref name="now"/>.</param>
    public void Add(TaskEntry task, DateTimeOffset due, DateTimeOffset now)
    {
        if (due > now)
        {
            _delayed.Enqueue((task, task.QueueOrder), (due, task.QueueOrder));
        }
        else
        {
            _due.AddLast(task.RetryNode);
        }
    }

    /// <summary>Removes a task that is due. The entry of a delayed task becomes obsolete when the caller changes its <see cref="TaskEntry.QueueOrder"/>.</summary>
    public void Remove(TaskEntry task)
    {
        if (task.IsRetry && task.RetryNode.List == _due)
        {
            _due.Remove(task.RetryNode);
        }
    }

    /// <summary>Moves the next task whose delay is over to the due tasks. Returns false when there is none.</summary>
    public bool TryMoveDue(DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        task = null;
        if (!(NextDue <= now))
        {
            return false;
        }

        task = _delayed.Dequeue().Task;
        _due.AddLast(task.RetryNode);
        return true;
    }

    private static bool IsCurrent(TaskEntry task, long order) => task.Step == TaskStep.Queued && task.QueueOrder == order;
}
