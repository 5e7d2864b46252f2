using System.Numerics;
using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// The queued tasks of one type that no worker had before. Tasks of one priority are in the order of their arrival. Of several priorities the task with the earliest
/// time of arrival is first, after <paramref name="priorityAge"/> is subtracted from it for each level of priority. So a waiting task is overtaken by later tasks for a limited
/// time only, and no timer is needed. <see cref="TaskRegistry.Retries"/> has the tasks that a worker had before.
/// </summary>
internal sealed class TypeQueue(TaskType type, TimeSpan priorityAge)
{
    /// <summary>The number of obsolete entries that are always allowed while tasks are queued.</summary>
    private const int MaxObsolete = 64;

    /// <summary>The queues by priority. Each is created when it is needed, and kept.</summary>
    private readonly Queue<(TaskEntry Task, long Order)>?[] _byPriority = new Queue<(TaskEntry, long)>?[TaskRecord.MaxPriority + 1];

    /// <summary>The priorities whose queue has entries, one bit each.</summary>
    private uint _occupied;

    public TaskType Type { get; } = type;

    /// <summary>The number of queued tasks of this type, with retries.</summary>
    public int Depth { get; set; }

    /// <summary>The number of running tasks of this type.</summary>
    public int Running { get; set; }

    /// <summary>The number of entries, including obsolete ones.</summary>
    public int EntryCount => _byPriority.Sum(queue => queue?.Count ?? 0);

    /// <summary>Returns whether a worker that handles the types of both queued tasks gets the first one before the other.</summary>
    public static bool IsBefore(TaskEntry one, TaskEntry other, TimeSpan priorityAge)
    {
        var ahead = (other.QueuedAt - one.QueuedAt).Ticks + ((one.Priority - other.Priority) * priorityAge.Ticks);
        return ahead > 0 || (ahead == 0 && one.QueueOrder < other.QueueOrder);
    }

    public void Enqueue(TaskEntry task)
    {
        (_byPriority[task.Priority] ??= new()).Enqueue((task, task.QueueOrder));
        _occupied |= 1u << task.Priority;
    }

    /// <summary>Returns the task that comes next, or null. Removes obsolete entries before it.</summary>
    public TaskEntry? Peek()
    {
        TaskEntry? next = null;
        for (var left = _occupied; left != 0; left &= left - 1)
        {
            if (PeekPriority(BitOperations.TrailingZeroCount(left)) is { } head && (next is null || IsBefore(head, next, priorityAge)))
            {
                next = head;
            }
        }

        return next;
    }

    /// <summary>The queued tasks, without retries: those of each priority in the order of their arrival.</summary>
    public IEnumerable<IEnumerable<TaskEntry>> ByPriority() => _byPriority.OfType<Queue<(TaskEntry Task, long Order)>>().Select(queue => queue.Where(IsCurrent).Select(entry => entry.Task));

    /// <summary>Removes the task that <see cref="Peek"/> has returned.</summary>
    public void Dequeue(TaskEntry task) => Dequeue(_byPriority[task.Priority]!, task.Priority);

    private TaskEntry? PeekPriority(int priority)
    {
        var queue = _byPriority[priority]!;
        while (queue.TryPeek(out var head))
        {
            if (IsCurrent(head))
            {
                return head.Task;
            }

            Dequeue(queue, priority);
        }

        return null;
    }

    /// <summary>
    /// Removes the entries of tasks that have left the queue, when they are more than half of all entries. Called when a task leaves it from the middle: tasks that are submitted
    /// and cancelled while no worker handles their type do not fill the memory.
    /// </summary>
    public void RemoveObsolete()
    {
        if (EntryCount <= (2 * Depth) + MaxObsolete)
        {
            return;
        }

        for (var priority = 0; priority < _byPriority.Length; priority++)
        {
            if (_byPriority[priority] is { Count: > 0 } queue)
            {
                var current = new Queue<(TaskEntry Task, long Order)>(queue.Where(IsCurrent));
                _byPriority[priority] = current;
                _occupied = current.Count > 0 ? _occupied : _occupied & ~(1u << priority);
            }
        }
    }

    /// <summary>Removes all entries. Called when the last task has left the queue: the entries that remain are obsolete.</summary>
    public void Clear()
    {
        for (; _occupied != 0; _occupied &= _occupied - 1)
        {
            _byPriority[BitOperations.TrailingZeroCount(_occupied)]!.Clear();
        }
    }

    private static bool IsCurrent((TaskEntry Task, long Order) entry) => entry.Task.Step == TaskStep.Queued && entry.Task.QueueOrder == entry.Order;

    private void Dequeue(Queue<(TaskEntry Task, long Order)> queue, int priority)
    {
        queue.Dequeue();
        if (queue.Count == 0)
        {
            _occupied &= ~(1u << priority);
        }
    }
}
