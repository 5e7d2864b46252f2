using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>All unsettled tasks, with the queue, the task leases and the indexes by id.</summary>
internal sealed class TaskRegistry(TasksOptions settings, BalancingOptions thresholds)
{
    /// <summary>The number of queues up to which an empty one is kept for the next task of its type.</summary>
    private const int MaxIdleQueues = 64;

    private readonly Dictionary<TaskId, TaskEntry> _byWireId = [];
    private readonly Dictionary<(ServerId? StoredBy, string Id), TaskEntry> _byId = [];
    private readonly Dictionary<TaskType, TypeQueue> _queues = [];
    private readonly LinkedList<TaskEntry> _leases = [];

    /// <summary>The number of unsettled tasks of each adopted server.</summary>
    private readonly Dictionary<ServerId, int> _adopted = [];
    private long _queueOrder;
    private long _sequence;

    /// <summary>The number of unsettled tasks in all steps.</summary>
    public int Count => _byWireId.Count;

    /// <summary>The number of queued tasks.</summary>
    public int Depth { get; private set; }

    /// <summary>The queues of all types that have queued tasks.</summary>
    public IEnumerable<TypeQueue> Queues => _queues.Values.Where(queue => queue.Depth > 0);

    /// <summary>The queues of all types that have queued or running tasks, those with the most queued tasks first.</summary>
    public IEnumerable<TypeQueue> BusiestQueues => _queues.Values.Where(queue => queue.Depth > 0 || queue.Running > 0)
        .OrderByDescending(queue => queue.Depth).ThenBy(queue => queue.Type.Name, StringComparer.Ordinal);

    /// <summary>The number of running tasks.</summary>
    public int Running => _leases.Count;

    /// <summary>The number of entries in the queues, including obsolete ones.</summary>
    public int QueueEntries => _queues.Values.Sum(queue => queue.EntryCount) + Retries.Count + Scheduled.Count;

    /// <summary>The queued tasks that a worker had before.</summary>
    public RetryQueue Retries { get; } = new();

    /// <summary>The tasks that wait until a time. They are not in the queue, and do not count in <see cref="Depth"/>.</summary>
    public ScheduledTasks Scheduled { get; } = new();

    /// <summary>The running attempts at tasks that have a timeout.</summary>
    public AttemptTimeouts Timeouts { get; } = new();

    /// <summary>The number of completed tasks since the store was created.</summary>
    public long Done { get; set; }

    /// <summary>The number of dead letters of this server after the last write. The store counts them, because the effect of a repeated change is unknown.</summary>
    public long Dead { get; set; }

    /// <summary>The time since which the depth is at or below the low mark, or null when it is above.</summary>
    public DateTimeOffset? BelowMinThresholdSince { get; private set; }

    /// <summary>The time since which the depth is above the high mark, or null when it is not.</summary>
    public DateTimeOffset? AboveMaxThresholdSince { get; private set; }

    public IEnumerable<TaskEntry> All => _byWireId.Values;

    /// <summary>The running tasks, those whose lease ends first before the others.</summary>
    public IEnumerable<TaskEntry> RunningTasks => _leases;

    /// <summary>The time when the oldest task lease expires, or null when no task is running.</summary>
    public DateTimeOffset? NextLeaseEnd => _leases.First?.Value.LeaseEnd;

    /// <summary>Sets the stored counters. Called once, when the server starts.</summary>
    public void Start(long done, long dead, DateTimeOffset now)
    {
        (Done, Dead) = (done, dead);
        SetDepth(0, now);
    }

    /// <summary>
    /// Returns a sequence number above those of all tasks and dead letters that this server serves, in microseconds since 1970. It follows the clock, so that it is also above those of
    /// most settled tasks.
    /// </summary>
    public long NextSequence(DateTimeOffset now) => _sequence = Math.Max(_sequence + 1, (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Makes all later sequence numbers larger than one. Called for loaded dead letters, whose numbers are above the clock when it was set back or another server gave them.</summary>
    public void ContinueSequenceAfter(long sequence) => _sequence = Math.Max(_sequence, sequence);

    /// <summary>The number of unsettled tasks of an adopted server.</summary>
    public int CountStoredBy(ServerId server) => _adopted.GetValueOrDefault(server);

    public void Add(TaskEntry task)
    {
        ContinueSequenceAfter(task.Record.Sequence);
        _byWireId.Add(task.Id, task);
        if (task.Record.StoredBy is { } server)
        {
            _adopted[server] = CountStoredBy(server) + 1;
        }

        if (task.Record.Id != task.Id.Value)
        {
            _byId.Add((task.Record.StoredBy, task.Record.Id), task);
        }
    }

    /// <summary>Removes a task from memory. Does nothing when another entry has its id.</summary>
    public void Remove(TaskEntry task)
    {
        if (Find(task.Id) != task)
        {
            // The task was removed when its adoption ended, and was adopted again since.
            return;
        }

        _byWireId.Remove(task.Id);
        if (task.Record.StoredBy is { } server && --CollectionsMarshal.GetValueRefOrNullRef(_adopted, server) == 0)
        {
            _adopted.Remove(server);
        }

        if (task.Record.Id != task.Id.Value)
        {
            _byId.Remove((task.Record.StoredBy, task.Record.Id));
        }
    }

    public TaskEntry? Find(TaskId id) => _byWireId.GetValueOrDefault(id);

    /// <summary>Finds a task by its client id, which is unique at the server that stores the task.</summary>
    public TaskEntry? Find(string id, ServerId? storedBy) => _byId.GetValueOrDefault((storedBy, id)) ?? _byWireId.GetValueOrDefault(new TaskId(id));

    /// <summary>Holds a task outside of the queue until a time.</summary>
    public void Schedule(TaskEntry task, DateTimeOffset due)
    {
        task.Step = TaskStep.Scheduled;
        task.DueAt = due;
        Scheduled.Add(task);
    }

    /// <summary>Adds a task to the end of its queue.</summary>
    public void Enqueue(TaskEntry task, DateTimeOffset now)
    {
        task.Step = TaskStep.Queued;
        task.QueueOrder = ++_queueOrder;
        task.QueuedAt = now;
        if (task.IsRetry)
        {
            Retries.Add(task);
        }
        else
        {
            QueueOf(task.Type).Enqueue(task);
        }

        AdjustDepth(task.Type, 1, now);
    }

    /// <summary>Removes a retry from the queue. The caller dispatches it.</summary>
    public void TakeRetry(TaskEntry task, DateTimeOffset now)
    {
        Retries.Remove(task);
        AdjustDepth(task.Type, -1, now);
    }

    /// <summary>Takes the queued task of the given types that comes next, without retries (<see cref="TypeQueue"/>). Returns false when there is none.</summary>
    public bool TryDequeue(TaskTypeSet types, DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        task = null;
        TypeQueue? source = null;
        foreach (var type in types.AsSpan())
        {
            if (_queues.TryGetValue(type, out var queue) && queue.Peek() is { } head && (task is null || TypeQueue.IsBefore(head, task, settings.PriorityAge)))
            {
                (task, source) = (head, queue);
            }
        }

        if (task is null)
        {
            return false;
        }

        source!.Dequeue(task);
        AdjustDepth(task.Type, -1, now);
        return true;
    }

    /// <summary>The queued tasks in the order in which they came into the queue, whatever their type and priority. The queue must not change meanwhile.</summary>
    public IEnumerable<TaskEntry> InQueueOrder()
    {
        var heads = new PriorityQueue<IEnumerator<TaskEntry>, long>();
        foreach (var tasks in _queues.Values.SelectMany(queue => queue.ByPriority()).Append(Retries.All))
        {
            Advance(tasks.GetEnumerator());
        }

        while (heads.TryDequeue(out var first, out _))
        {
            yield return first.Current;
            Advance(first);
        }

        void Advance(IEnumerator<TaskEntry> tasks)
        {
            if (tasks.MoveNext())
            {
                heads.Enqueue(tasks, tasks.Current.QueueOrder);
            }
        }
    }

    /// <summary>Assigns a task to a worker and starts its task lease.</summary>
    public void StartAttempt(TaskEntry task, WorkerEntry worker, DateTimeOffset now)
    {
        task.Step = TaskStep.Running;
        task.Worker = worker;
        task.LastWorker = worker.Id;
        task.Attempts++;
        task.Progress = null;
        task.StartedAt = now;
        task.LeaseEnd = now + settings.LeaseTime;
        task.LostBy = null;
        _leases.AddLast(task.LeaseNode);
        QueueOf(task.Type).Running++;
        Timeouts.Add(task, now);
        worker.AddRunning(task);
        worker.LastTask = task;
    }

    /// <summary>Starts the task lease of a running task again.</summary>
    public void RenewLease(TaskEntry task, DateTimeOffset now)
    {
        task.LeaseEnd = now + settings.LeaseTime;
        _leases.Remove(task.LeaseNode);
        _leases.AddLast(task.LeaseNode);
    }

    /// <summary>Removes a task from the queue, from the scheduled tasks or from its worker.</summary>
    public void Detach(TaskEntry task, DateTimeOffset now)
    {
        switch (task.Step)
        {
            case TaskStep.Queued:
                task.QueueOrder = 0;
                Retries.Remove(task);
                QueueOf(task.Type).RemoveObsolete();
                AdjustDepth(task.Type, -1, now);
                break;
            case TaskStep.Running:
                _leases.Remove(task.LeaseNode);
                QueueOf(task.Type).Running--;
                Timeouts.Remove(task);
                task.Worker!.RemoveRunning(task);
                task.Worker = null;
                break;
            case TaskStep.Scheduled:
                Scheduled.Remove(task);
                break;
            case TaskStep.Storing or TaskStep.Invalidating or TaskStep.Settling:
                break;
            default:
                throw new InvalidOperationException($"Task step {task.Step} is unknown.");
        }
    }

    /// <summary>Finds a running task whose task lease has expired. Returns false when there is none.</summary>
    public bool TryPeekExpired(DateTimeOffset now, [NotNullWhen(true)] out TaskEntry? task)
    {
        task = _leases.First?.Value;
        return task is not null && task.LeaseEnd <= now;
    }

    private TypeQueue QueueOf(TaskType type)
    {
        if (!_queues.TryGetValue(type, out var queue))
        {
            _queues.Add(type, queue = new TypeQueue(type, settings.PriorityAge));
        }

        return queue;
    }

    private void AdjustDepth(TaskType type, int change, DateTimeOffset now)
    {
        var queue = QueueOf(type);
        queue.Depth += change;
        if (queue.Depth == 0)
        {
            queue.Clear();
        }

        if (queue is { Depth: 0, Running: 0 } && _queues.Count > MaxIdleQueues)
        {
            _queues.Remove(type);
        }

        SetDepth(Depth + change, now);
    }

    private void SetDepth(int depth, DateTimeOffset now)
    {
        Depth = depth;
        AboveMaxThresholdSince = depth > thresholds.MaxQueueThreshold ? AboveMaxThresholdSince ?? now : null;
        if (depth > thresholds.MinQueueThreshold)
        {
            BelowMinThresholdSince = null;
        }
        else
        {
            BelowMinThresholdSince ??= now;
        }
    }
}
