namespace Mesh.Bench.Compare;

/// <summary>The parameters of a comparison. All systems get the same workload.</summary>
/// <param name="Systems">The names of the systems, the measured one first.</param>
/// <param name="Connections">The connections of workers to the system.</param>
/// <param name="Slots">The tasks that the workers of one connection run at a time.</param>
/// <param name="Tasks">The tasks of each measurement.</param>
/// <param name="Warmup">The tasks before each measurement, which are not measured.</param>
/// <param name="WarmupLimit">The warm-up of a slow system ends after this time.</param>
/// <param name="Batch">The tasks that are submitted together.</param>
/// <param name="Submitters">The batches that are submitted at a time.</param>
/// <param name="Limit">A measurement that takes longer fails.</param>
/// <param name="Directory">The directory below which the stores write.</param>
internal sealed record ComparePlan(
    IReadOnlyList<string> Systems,
    int Connections,
    int Slots,
    int Tasks,
    int Warmup,
    TimeSpan WarmupLimit,
    int Batch,
    int Submitters,
    int Rounds,
    Fsync Fsync,
    TimeSpan Limit,
    string Directory)
{
    /// <summary>The tasks that run at a time.</summary>
    public int Concurrency => Connections * Slots;
}

/// <summary>When a store waits for the disk.</summary>
internal enum Fsync
{
    /// <summary>Once each second, in the background.</summary>
    EverySecond = 1,

    /// <summary>Before each answer.</summary>
    Always = 2,
}
