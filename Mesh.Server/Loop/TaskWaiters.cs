using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Loop;

/// <summary>
/// The requests that wait until a task is settled. <see cref="EffectExecutor"/> completes them. A caller registers before it reads the state of the task, so that it does not
/// miss a task that is settled between the two.
/// </summary>
/// <param name="limit">The largest number of registrations (Mesh__Tasks__MaxWaits).</param>
internal sealed class TaskWaiters(int limit)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Signal> _signals = new(StringComparer.Ordinal);
    private volatile int _count;
    private volatile bool _closed;

    /// <summary>The number of registrations.</summary>
    public int Count => _count;

    /// <summary>True when the server stops. No request waits then.</summary>
    public bool IsClosed => _closed;

    /// <summary>
    /// Registers a request for a task. The caller must dispose of the registration. Returns null when the limit is reached. When the server stops, the registration is complete
    /// at once.
    /// </summary>
    public Registration? TryRegister(string id)
    {
        lock (_lock)
        {
            if (_count >= limit)
            {
                return null;
            }

            if (!_signals.TryGetValue(id, out var signal))
            {
                _signals.Add(id, signal = new Signal());
            }

            signal.Users++;
            _count++;
            if (_closed)
            {
                signal.Source.TrySetResult();
            }

            return new Registration(this, id, signal);
        }
    }

    /// <summary>Completes the registrations for a task. Called for each settled task, so it does nothing while no request waits.</summary>
    public void Complete(TaskRecord task)
    {
        if (_count == 0)
        {
            return;
        }

        lock (_lock)
        {
            Complete(task.Id);
            if (task.Id != task.WireId.Value)
            {
                // A task that is in memory is found by its TASK_ID too.
                Complete(task.WireId.Value);
            }
        }
    }

    /// <summary>Completes all registrations, so that their requests read the state again. Called when tasks are removed from memory without being settled.</summary>
    public void CompleteAll()
    {
        lock (_lock)
        {
            foreach (var signal in _signals.Values)
            {
                signal.Source.TrySetResult();
            }

            _signals.Clear();
        }
    }

    /// <summary>Completes all registrations, present and future. Called when the server stops.</summary>
    public void Close()
    {
        _closed = true;
        CompleteAll();
    }

    private void Complete(string id)
    {
        if (_signals.Remove(id, out var signal))
        {
            signal.Source.TrySetResult();
        }
    }

    private void Release(string id, Signal signal)
    {
        lock (_lock)
        {
            _count--;
            if (--signal.Users == 0 && _signals.GetValueOrDefault(id) == signal)
            {
                _signals.Remove(id);
            }
        }
    }

    /// <summary>One request that waits for a task.</summary>
    internal sealed class Registration(TaskWaiters waiters, string id, Signal signal) : IDisposable
    {
        private bool _isDisposed;

        /// <summary>Completes when the task is settled or the server stops. The caller then reads the state of the task again.</summary>
        public Task Completed => signal.Source.Task;

        public void Dispose()
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                waiters.Release(id, signal);
            }
        }
    }

    /// <summary>What the registrations for one task share.</summary>
    internal sealed class Signal
    {
        public TaskCompletionSource Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Users { get; set; }
    }
}
