using MeshAspire.Embedded.Dashboard;

namespace MeshAspire.Embedded.Running;

/// <summary>What a person wants of a replica; unasked, that it runs.</summary>
internal sealed class Wish
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = New();
    private bool _rests;
    private bool _restart;

    public bool Rests
    {
        get
        {
            lock (_lock)
            {
                return _rests;
            }
        }
    }

    /// <summary>Whether an end of the process is wanted.</summary>
    public bool IsAsked
    {
        get
        {
            lock (_lock)
            {
                return _rests || _restart;
            }
        }
    }

    public void Ask(FeedAction action)
    {
        lock (_lock)
        {
            _rests = action is FeedAction.Stop;
            _restart = action is FeedAction.Restart;
            _changed.TrySetResult();
            _changed = New();
        }
    }

    /// <summary>Completed by the next wish. Taken before a look at what is wanted now, it misses none.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>True once for each restart that was asked for.</summary>
    public bool TakeRestart()
    {
        lock (_lock)
        {
            var restart = _restart;
            _restart = false;
            return restart;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
