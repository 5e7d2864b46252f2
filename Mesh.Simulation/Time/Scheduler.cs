using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Time;

/// <summary>The virtual time. Actions run in the order of their times, and at the same time in the order in which they were scheduled.</summary>
internal sealed class Scheduler
{
    /// <summary>The largest number of actions of a life. Hardly any life needs a tenth of it.</summary>
    private const long MaxSteps = 3_000_000;

    private readonly PriorityQueue<Action, (TimeSpan Due, long Order)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;

    /// <summary>The true time since the start of the life. Nodes read their own clocks.</summary>
    public TimeSpan Now { get; private set; }

    public long Steps { get; private set; }

    public void After(TimeSpan delay, Action action) => At(Now + delay, action);

    /// <exception cref="InvalidOperationException">A continuation runs on another thread, because it has left the synchronization context of its process. The life could not be repeated.</exception>
    public void At(TimeSpan due, Action action)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            throw new InvalidOperationException("A life runs on one thread.");
        }

        _queue.Enqueue(action, (due < Now ? Now : due, ++_order));
    }

    /// <summary>Runs all actions that are due up to a time, and sets the time.</summary>
    /// <exception cref="InvariantViolation">The life has more actions than any life needs: a node repeats something without a pause.</exception>
    public void RunUntil(TimeSpan end)
    {
        while (_queue.TryPeek(out var action, out var key) && key.Due <= end)
        {
            _queue.Dequeue();
            Now = key.Due;
            if (++Steps > MaxSteps)
            {
                throw new InvariantViolation(Invariant.CoresDoNotFail, $"{MaxSteps} steps did not end the life");
            }

            action();
        }

        Now = end;
    }
}
