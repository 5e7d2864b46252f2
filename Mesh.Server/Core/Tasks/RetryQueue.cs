namespace Mesh.Server.Core.Tasks;

/// <summary>The queued tasks that a worker had before. Each waits for a suitable worker, and comes before the tasks that no worker had.</summary>
internal sealed class RetryQueue
{
    private readonly LinkedList<TaskEntry> _tasks = [];

    public int Count => _tasks.Count;

    /// <summary>All tasks, in the order of their arrival.</summary>
    public IEnumerable<TaskEntry> All => _tasks;

    /// <summary>The task that has waited longest. The others follow it in its list.</summary>
    public LinkedListNode<TaskEntry>? First => _tasks.First;

    public void Add(TaskEntry task) => _tasks.AddLast(task.RetryNode);

    /// <summary>Removes a task. Does nothing when it is not a retry.</summary>
    public void Remove(TaskEntry task)
    {
        if (task.IsRetry && task.RetryNode.List == _tasks)
        {
            _tasks.Remove(task.RetryNode);
        }
    }
}
