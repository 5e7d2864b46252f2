using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>The tasks being worked on.</summary>
internal sealed class Attempts
{
    private readonly Dictionary<int, Attempt> _running = [];
    private int _last;

    /// <summary>All that hold a slot.</summary>
    public int Count => _running.Count;

    /// <summary>Those whose status some server still awaits.</summary>
    public int AwaitedCount { get; private set; }

    /// <summary>Whether any goes on that nobody awaits any more.</summary>
    public bool HasAbandoned => Count > AwaitedCount;

    public int Begin(NewTask task)
    {
        _running.Add(++_last, new(task));
        AwaitedCount++;
        return _last;
    }

    public bool IsRunning(TaskId task) => _running.Values.Any(attempt => !attempt.Abandoned && attempt.Task.Id == task);

    /// <summary>Takes it off; null when it is not known, or nobody awaits it any more.</summary>
    public Attempt? End(int key)
    {
        if (!_running.Remove(key, out var attempt) || attempt.Abandoned)
        {
            return null;
        }

        AwaitedCount--;
        return attempt;
    }

    /// <summary>Marks all as cancelled; the keys of those that were not yet.</summary>
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

    /// <summary>Nobody awaits these any more; they keep their slots until they end. How many there were.</summary>
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
