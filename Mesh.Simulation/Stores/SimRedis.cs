namespace Mesh.Simulation;

/// <summary>One Redis process: up or down, fast or slow.</summary>
internal sealed class SimRedis(string name, Scheduler scheduler, Random random)
{
    public string Name { get; } = name;

    public bool IsUp { get; private set; } = true;

    /// <summary>How often it went down: what was asked before that gets no answer.</summary>
    public int Falls { get; private set; }

    /// <summary>The longest time that one call takes while it is slow; zero when it is not.</summary>
    public TimeSpan Slowness { get; set; }

    /// <summary>The share of calls that fail though it is up, and whose effect may come late.</summary>
    public double Trouble { get; set; }

    public Scheduler Scheduler { get; } = scheduler;

    public Random Random { get; } = random;

    public void Fall()
    {
        IsUp = false;
        Falls++;
    }

    /// <summary>Since when it is up.</summary>
    public TimeSpan UpSince { get; private set; }

    public void Rise()
    {
        UpSince = IsUp ? UpSince : Scheduler.Now;
        IsUp = true;
    }

    public TimeSpan Delay() => TimeSpan.FromMilliseconds(Random.From(0.05, 1)) + (Slowness * Random.NextDouble());
}
