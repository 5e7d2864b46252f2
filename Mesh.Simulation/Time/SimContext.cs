namespace Mesh.Simulation.Time;

/// <summary>
/// The synchronization context of one process. The continuations of its shells run on the scheduler, in the order in which they were posted. A process that has ended
/// drops them; a process that is held keeps them until it goes on.
/// </summary>
/// <param name="scheduler">The virtual time.</param>
/// <param name="ran">Called after each run, still in the context.</param>
internal sealed class SimContext(Scheduler scheduler, Action ran) : SynchronizationContext
{
    private readonly Queue<Action> _waiting = new();
    private volatile bool _ended;
    private bool _held;

    public bool HasEnded => _ended;

    public override void Post(SendOrPostCallback d, object? state)
    {
        // The timers of a process that has ended are completed by their finalizers, on another thread.
        if (!_ended)
        {
            scheduler.After(TimeSpan.Zero, () => Run(() => d(state)));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => Run(() => d(state));

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs an action of the process: now, when the process goes on, or never.</summary>
    public void Run(Action action)
    {
        if (_ended)
        {
            return;
        }

        if (_held)
        {
            _waiting.Enqueue(action);
            return;
        }

        var outer = Current;
        if (outer == this)
        {
            action();
            return;
        }

        SetSynchronizationContext(this);
        try
        {
            action();
            ran();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>The process is stopped, and nothing of it runs.</summary>
    public void Hold() => _held = true;

    /// <summary>The process goes on, with what has come meanwhile.</summary>
    public void Release()
    {
        _held = false;
        while (_waiting.TryDequeue(out var action))
        {
            Run(action);
        }
    }

    public void End() => _ended = true;
}
