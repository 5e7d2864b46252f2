using System.Diagnostics.CodeAnalysis;

namespace Mesh.Server.Core.Tasks;

/// <summary>The queued tasks that have been with a worker before: first until their delay is over, then until a suitable worker asks.</summary>
internal sealed class RetryQueue
{
    private readonly PriorityQueue<(TaskEntry Task, long Order), (DateTimeOffset Due, long Order)> _delayed = new();
    private readonly LinkedList<TaskEntry> _due = [];

    /// <summary>All places, void ones too.</summary>
    public int EntryCount => _delayed.Count + _due.Count;

    /// <summary>The first of those whose delay is over; the next ones follow it in its list.</summary>
    public LinkedListNode<TaskEntry>? FirstDue => _due.First;

    /// <summary>When the next delay is over.</summary>
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

    public void Remove(TaskEntry task)
    {
        if (task.IsRetry && task.RetryNode.List == _due)
        {
            _due.Remove(task.RetryNode);
        }
    }

    /// <summary>Moves a task whose delay is over to those that are due.</summary>
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
