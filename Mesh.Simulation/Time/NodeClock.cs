namespace Mesh.Simulation.Time;

/// <summary>The clock of one process. It has a constant offset and a rate that is slightly wrong.</summary>
internal sealed class NodeClock(Scheduler scheduler, TimeSpan offset, double rate)
{
    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now => Origin + Elapsed;

    /// <summary>The time since the origin.</summary>
    public TimeSpan Elapsed => offset + (scheduler.Now * rate);

    /// <summary>The true time at which this clock shows the given time, rounded up.</summary>
    public TimeSpan ToSchedulerTime(DateTimeOffset local) => ToSchedulerTime(local - Origin);

    public TimeSpan ToSchedulerTime(TimeSpan local) => ((local - offset) / rate) + TimeSpan.FromTicks(2);
}
