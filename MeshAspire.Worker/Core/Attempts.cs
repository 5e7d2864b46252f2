using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>The running attempts of a worker.</summary>
internal sealed class Attempts
{
    private readonly Dictionary<int, Attempt> _running = [];
    private int _last;

    /// <summary>The number of attempts that occupy a slot.</summary>
    public int Count => _running.Count;

    /// <summary>The number of attempts whose status a server expects.</summary>
    public int AwaitedCount { get; private set; }

    /// <summary>Adds an attempt.</summary>
    public Attempt Begin(NewTask task)
    {
        var attempt = new Attempt(++_last, task);
        _running.Add(attempt.Key, attempt);
        AwaitedCount++;
        return attempt;
    }

    public bool IsRunning(TaskId task) => Find(task) is not null;

    /// <summary>Finds the attempt at a task of the current server, or returns null.</summary>
    public Attempt? Find(TaskId task) => _running.Values.FirstOrDefault(attempt => !attempt.Abandoned && attempt.Task.Id == task);

    /// <summary>Removes an attempt and frees its slot. Returns null when the key is unknown. The result of an abandoned attempt is discarded.</summary>
    public Attempt? End(int key)
    {
        if (!_running.Remove(key, out var attempt))
        {
            return null;
        }

        AwaitedCount -= attempt.Abandoned ? 0 : 1;
        return attempt;
    }

    /// <summary>Marks all attempts as cancelled and returns the keys of those that were not cancelled before.</summary>
    public IEnumerable<int> Cancel()
    {
        foreach (var (key, attempt) in _running)
        {
            if (!attempt.Cancelled)
            {
                attempt.Cancelled = true;
                yield return key;
            }
        }
    }

    /// <summary>Marks all attempts as abandoned: their results are discarded, and they occupy their slots until they end. Returns those that it has marked.</summary>
    public List<Attempt> Abandon()
    {
        var abandoned = _running.Values.Where(attempt => !attempt.Abandoned).ToList();
        abandoned.ForEach(attempt => attempt.Abandoned = true);
        AwaitedCount = 0;
        return abandoned;
    }

    internal sealed class Attempt
    {
        public Attempt(int key, NewTask task)
        {
            (Key, Task) = (key, task);
            ReportNode = new(this);
        }

        public int Key { get; }

        public NewTask Task { get; }

        public bool Cancelled { get; set; }

        /// <summary>Whether the server has answered a RUNNING with CANCEL.</summary>
        public bool CancelledByServer { get; set; }

        public bool Abandoned { get; set; }

        /// <summary>The time at which the next RUNNING is sent.</summary>
        public TimeSpan ReportDueAt { get; set; }

        /// <summary>The node of this attempt in <see cref="RunningReports"/>.</summary>
        public LinkedListNode<Attempt> ReportNode { get; }
    }
}
