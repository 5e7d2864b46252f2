using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Nodes;

/// <summary>A process that can end and be started again. What was scheduled by an earlier process does nothing.</summary>
internal abstract class SimNode(SimWorld world, string name)
{
    private int _generation;
    private TimeSpan _downUntil;

    public string Name { get; } = name;

    public bool IsUp { get; private set; }

    protected SimWorld World { get; } = world;

    /// <summary>True when it is never started again.</summary>
    public bool IsRemoved { get; private set; }

    public void RemoveForever(bool silently)
    {
        IsRemoved = true;
        Kill(silently);
    }

    /// <summary>Ends the process and prevents a start for a time.</summary>
    public void KeepDown(TimeSpan time, bool silently)
    {
        _downUntil = World.Scheduler.Now + time;
        Kill(silently);
        World.Scheduler.At(_downUntil, Start);
    }

    public void Start()
    {
        if (!IsUp && !IsRemoved && World.Scheduler.Now >= _downUntil)
        {
            IsUp = true;
            _generation++;
            Log("starts");
            OnStart();
        }
    }

    /// <summary>Ends the process at once.</summary>
    /// <param name="silently">True when its machine fails too: the other ends of its connections are not told.</param>
    public void Kill(bool silently = false)
    {
        if (IsUp)
        {
            IsUp = false;
            _generation++;
            Log(silently ? "dies with its machine" : "is gone");
            OnKilled();
            World.Network.Kill(Name, silently);
        }
    }

    /// <summary>Requests an orderly stop.</summary>
    public abstract void Stop();

    /// <summary>Runs an action later, unless the process has ended by then.</summary>
    public void After(TimeSpan delay, Action action) => At(World.Scheduler.Now + delay, action);

    public void At(TimeSpan due, Action action)
    {
        var life = _generation;
        World.Scheduler.At(due, () =>
        {
            if (life == _generation && IsUp)
            {
                action();
            }
        });
    }

    /// <summary>Wraps a callback so that it does nothing after the process has ended.</summary>
    public Action<T> IgnoreAfterRestart<T>(Action<T> action)
    {
        var life = _generation;
        return value =>
        {
            if (life == _generation && IsUp)
            {
                action(value);
            }
        };
    }

    public Action<TFirst, TSecond> IgnoreAfterRestart<TFirst, TSecond>(Action<TFirst, TSecond> action)
    {
        var life = _generation;
        return (first, second) =>
        {
            if (life == _generation && IsUp)
            {
                action(first, second);
            }
        };
    }

    /// <summary>Runs an action that must not throw.</summary>
    public void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (exception is not InvariantViolation)
        {
            throw new InvariantViolation(Invariant.CoresDoNotFail, $"{Name} threw {exception.GetType().Name}: {exception.Message}", exception);
        }
    }

    /// <summary>Logs a step of this node.</summary>
    public void Log(string what, object? subject = null) => World.Log.Add(Name, what, subject);

    protected abstract void OnStart();

    protected abstract void OnKilled();
}
