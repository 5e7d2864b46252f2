using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>The queued tasks of one type that no worker had before, oldest first. <see cref="TaskRegistry.Retries"/> has the others.</summary>
internal sealed class TypeQueue(TaskType type)
{
    private readonly Queue<(TaskEntry Task, long Order)> _entries = new();

    public TaskType Type { get; } = type;

    /// <summary>The number of queued tasks of this type, with retries.</summary>
    public int Depth { get; set; }

    /// <summary>The number of entries, including obsolete ones.</summary>
    public int EntryCount => _entries.Count;

    public void Enqueue(TaskEntry task) => _entries.Enqueue((task, task.QueueOrder));

    /// <summary>Returns the task that <see cref="Dequeue"/> takes next, or null. Removes obsolete entries before it.</summary>
    public TaskEntry? Peek()
    {
        while (_entries.TryPeek(out var head))
        {
            if (head.Task.Step == TaskStep.Queued && head.Task.QueueOrder == head.Order)
            {
                return head.Task;
            }

            _entries.Dequeue();
        }

        return null;
    }

    /// <summary>Removes the task that <see cref="Peek"/> has returned.</summary>
    public void Dequeue() => _entries.Dequeue();
}
