namespace Mesh.Simulation;

/// <summary>What one process takes for the time: off by a constant, and running a little fast or slow.</summary>
internal sealed class NodeClock(Scheduler scheduler, TimeSpan offset, double rate)
{
    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now => Origin + Elapsed;

    /// <summary>The same as a clock that only goes forward.</summary>
    public TimeSpan Elapsed => offset + (scheduler.Now * rate);

    /// <summary>The true time at which this clock shows a time, rounded up.</summary>
    public TimeSpan ToSchedulerTime(DateTimeOffset local) => ToSchedulerTime(local - Origin);

    public TimeSpan ToSchedulerTime(TimeSpan local) => ((local - offset) / rate) + TimeSpan.FromTicks(2);
}
