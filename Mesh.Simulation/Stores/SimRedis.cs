namespace Mesh.Simulation;

/// <summary>One Redis process: up or down, fast or slow.</summary>
/// <param name="name">What the log calls it.</param>
/// <param name="scheduler">The time.</param>
/// <param name="random">Its own chance.</param>
/// <param name="isDurable">False when the log that it is restored from is written out once a second, as by <c>appendfsync everysec</c>.</param>
internal sealed class SimRedis(string name, Scheduler scheduler, Random random, bool isDurable)
{
    /// <summary>What is acknowledged is safe from a loss of power after this time.</summary>
    public static readonly TimeSpan FsyncInterval = TimeSpan.FromSeconds(1);

    /// <summary>How to take back each change that is not safe yet, in the order of the changes.</summary>
    private readonly List<(TimeSpan At, Action TakeBack)> _changes = [];
    private int _instances;

    public string Name { get; } = name;

    public bool IsUp { get; private set; } = true;

    /// <summary>How often it went down: what was asked before that gets no answer.</summary>
    public int StopCount { get; private set; }

    /// <summary>The longest time that one call takes while it is slow; zero when it is not.</summary>
    public TimeSpan MaxExtraLatency { get; set; }

    /// <summary>The share of calls that fail though it is up, and whose effect may come late.</summary>
    public double ErrorRate { get; set; }

    public Scheduler Scheduler { get; } = scheduler;

    public Random Random { get; } = random;

    public void Stop()
    {
        IsUp = false;
        StopCount++;
    }

    /// <summary>Its machine loses power: what was changed in the last while is lost, all of it from one point of its log on.</summary>
    public void LosePower(TimeSpan unsafeFor)
    {
        Stop();
        for (var i = _changes.Count - 1; i >= 0 && _changes[i].At > Scheduler.Now - unsafeFor; i--)
        {
            _changes[i].TakeBack();
        }

        _changes.Clear();
    }

    /// <summary>Something stored has changed.</summary>
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

    /// <summary>A number for each process that takes a claim, never the same twice.</summary>
    public int NextInstance() => ++_instances;

    /// <summary>Since when it is up.</summary>
    public TimeSpan UpSince { get; private set; }

    public void Start()
    {
        UpSince = IsUp ? UpSince : Scheduler.Now;
        IsUp = true;
    }

    public TimeSpan Delay() => TimeSpan.FromMilliseconds(Random.From(0.05, 1)) + (MaxExtraLatency * Random.NextDouble());
}
