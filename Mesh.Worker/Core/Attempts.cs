using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>The running attempts of a worker.</summary>
internal sealed class Attempts
{
    private readonly Dictionary<int, Attempt> _running = [];
    private int _last;

    /// <summary>The number of attempts that occupy a slot.</summary>
    public int Count => _running.Count;

    /// <summary>The number of attempts whose status a server expects.</summary>
    public int AwaitedCount { get; private set; }

    /// <summary>Whether an abandoned attempt is still running.</summary>
    public bool HasAbandoned => Count > AwaitedCount;

    /// <summary>Adds an attempt and returns its key.</summary>
    public int Begin(NewTask task)
    {
        _running.Add(++_last, new(task));
        AwaitedCount++;
        return _last;
    }

    public bool IsRunning(TaskId task) => _running.Values.Any(attempt => !attempt.Abandoned && attempt.Task.Id == task);

    /// <summary>Removes an attempt and frees its slot. Returns null when the key is unknown or the attempt was abandoned.</summary>
    public Attempt? End(int key)
    {
        if (!_running.Remove(key, out var attempt) || attempt.Abandoned)
        {
            return null;
        }

        AwaitedCount--;
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

    /// <summary>Marks all attempts as abandoned: their results are discarded, and they occupy their slots until they end. Returns the number of attempts that it has marked.</summary>
    public int Abandon()
    {
        foreach (var attempt in _running.Values)
        {
            attempt.Abandoned = true;
        }

        (var abandoned, AwaitedCount) = (AwaitedCount, 0);
        return abandoned;
    }

    internal sealed class Attempt(NewTask task)
    {
        public NewTask Task { get; } = task;

        public bool Cancelled { get; set; }

        public bool Abandoned { get; set; }
    }
}
