using System.Diagnostics.CodeAnalysis;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// The tasks that wait until a time: for their <see cref="TaskRecord.NotBefore"/>, or for the end of a retry delay. They are not in the queue. A binary heap by
/// <see cref="TaskEntry.DueAt"/>, in which each task knows its place: adding, removing and taking a task costs O(log n), and tasks that are not due cost nothing.
/// </summary>
internal sealed class ScheduledTasks
{
    private readonly List<TaskEntry> _heap = [];

    public int Count => _heap.Count;

    /// <summary>The time when the next task is due, or null when there is none.</summary>
    public DateTimeOffset? NextDue => _heap.Count > 0 ? _heap[0].DueAt : null;

    /// <summary>Adds a task. Its <see cref="TaskEntry.DueAt"/> does not change until it is removed.</summary>
    public void Add(TaskEntry task)
    {
        _heap.Add(task);
        MoveUp(task, _heap.Count - 1);
    }

    public void Remove(TaskEntry task)
    {
        var (index, last) = (task.ScheduleIndex, _heap[^1]);
        _heap.RemoveAt(_heap.Count - 1);
        if (last != task)
        {
            MoveDown(last, index);
            MoveUp(last, last.ScheduleIndex);
        }
    }

    /// <summary>Takes the task that was due first. Returns false when none is due.</summary>
    public bool TryTakeDue(DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        if (!(NextDue <= now))
        {
            task = null;
            return false;
        }

        task = _heap[0];
        Remove(task);
        return true;
    }

    /// <summary>Returns the tasks in the order in which they are due. The cost depends on the number of tasks that are read, not on the number of all.</summary>
    public IEnumerable<TaskEntry> InOrder()
    {
        var next = new PriorityQueue<int, (DateTimeOffset, long)>();
        Offer(next, 0);
        while (next.TryDequeue(out var index, out _))
        {
            yield return _heap[index];
            Offer(next, (2 * index) + 1);
            Offer(next, (2 * index) + 2);
        }
    }

    private void Offer(PriorityQueue<int, (DateTimeOffset Due, long Sequence)> next, int index)
    {
        if (index < _heap.Count)
        {
            next.Enqueue(index, (_heap[index].DueAt, _heap[index].Record.Sequence));
        }
    }

    private void MoveUp(TaskEntry task, int index)
    {
        while (index > 0 && IsBefore(task, _heap[(index - 1) / 2]))
        {
            Put(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }

        Put(task, index);
    }

    private void MoveDown(TaskEntry task, int index)
    {
        for (var child = (2 * index) + 1; child < _heap.Count; child = (2 * index) + 1)
        {
            child += child + 1 < _heap.Count && IsBefore(_heap[child + 1], _heap[child]) ? 1 : 0;
            if (!IsBefore(_heap[child], task))
            {
                break;
            }

            Put(_heap[child], index);
            index = child;
        }

        Put(task, index);
    }

    private void Put(TaskEntry task, int index)
    {
        _heap[index] = task;
        task.ScheduleIndex = index;
    }

    private static bool IsBefore(TaskEntry one, TaskEntry other) =>
        one.DueAt < other.DueAt || (one.DueAt == other.DueAt && one.Record.Sequence < other.Record.Sequence);
}
