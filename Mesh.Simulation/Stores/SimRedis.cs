using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>One Redis process. It can be down, slow, or fail some calls.</summary>
/// <param name="name">Its name in the log.</param>
/// <param name="scheduler">The time.</param>
/// <param name="random">Its random numbers.</param>
/// <param name="isDurable">False when its log is flushed once a second, as with <c>appendfsync everysec</c>.</param>
internal sealed class SimRedis(string name, Scheduler scheduler, Random random, bool isDurable)
{
    /// <summary>After this time an acknowledged change cannot be lost by a power failure.</summary>
    public static readonly TimeSpan FsyncInterval = TimeSpan.FromSeconds(1);

    /// <summary>The undo actions of the changes that are not safe yet, in the order of the changes.</summary>
    private readonly List<(TimeSpan At, Action TakeBack)> _changes = [];
    private int _instances;

    public string Name { get; } = name;

    public bool IsUp { get; private set; } = true;

    /// <summary>The number of times that it went down. Calls that were made before get no answer.</summary>
    public int StopCount { get; private set; }

    /// <summary>The longest delay of a call while it is slow, else zero.</summary>
    public TimeSpan MaxExtraLatency { get; set; }

    /// <summary>The share of calls that fail while it is up. A failed write can take effect late.</summary>
    public double ErrorRate { get; set; }

    public Scheduler Scheduler { get; } = scheduler;

    public Random Random { get; } = random;

    public void Stop()
    {
        IsUp = false;
        StopCount++;
    }

    /// <summary>Its machine loses power. All changes after one point of its log are lost.</summary>
    public void LosePower(TimeSpan unsafeFor)
    {
        Stop();
        for (var i = _changes.Count - 1; i >= 0 && _changes[i].At > Scheduler.Now - unsafeFor; i--)
        {
            _changes[i].TakeBack();
        }

        _changes.Clear();
    }

    /// <summary>Called for each change, with the action that undoes it.</summary>
    public void RecordUndo(Action takeBack)
    {
        if (isDurable)
        {
            return;
        }

        if (_changes.Count > 256 && _changes[_changes.Count / 2].At < Scheduler.Now - FsyncInterval)
        {
            _changes.RemoveRange(0, _changes.Count / 2);
        }

        _changes.Add((Scheduler.Now, takeBack));
    }

    /// <summary>Returns a number that was never returned before.</summary>
    public int NextInstance() => ++_instances;

    /// <summary>The time since which it is up.</summary>
    public TimeSpan UpSince { get; private set; }

    public void Start()
    {
        UpSince = IsUp ? UpSince : Scheduler.Now;
        IsUp = true;
    }

    public TimeSpan Delay() => TimeSpan.FromMilliseconds(Random.From(0.05, 1)) + (MaxExtraLatency * Random.NextDouble());
}
