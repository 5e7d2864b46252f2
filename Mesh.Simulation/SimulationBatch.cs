using Mesh.Simulation.Checks;

namespace Mesh.Simulation;

/// <summary>The result of many lives.</summary>
/// <param name="Failures">The first lives that broke an invariant, by seed.</param>
/// <param name="Failed">The number of lives that broke an invariant.</param>
/// <param name="LongestTimeToIdle">The longest time from the end of the faults until the mesh was at rest.</param>
/// <param name="Coverage">The counts of all lives together.</param>
public sealed record SimulationSummary(int Lives, IReadOnlyList<SimulationReport> Failures, int Failed, TimeSpan LongestTimeToIdle, long Steps, Coverage Coverage);

/// <summary>Runs many lives, each on one thread, several at a time.</summary>
public static class SimulationBatch
{
    /// <summary>The number of failures that are kept with their steps.</summary>
    public const int KeptFailures = 5;

    /// <param name="firstSeed">The seed of the first life. The other lives have the next seeds.</param>
    /// <param name="mutation">A deliberate mistake, or none.</param>
    /// <param name="lives">At least one.</param>
    /// <param name="parallelism">The number of lives at a time; -1 for one per core.</param>
    /// <param name="lived">Called after each life, by one thread at a time, with the numbers of lives and failures so far.</param>
    public static SimulationSummary Run(
        long firstSeed,
        int lives,
        Mutation mutation = Mutation.None,
        int parallelism = -1,
        Action<int, int>? lived = null,
        CancellationToken cancellation = default)
    {
        // A run without a life must not pass.
        ArgumentOutOfRangeException.ThrowIfLessThan(lives, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstSeed, long.MaxValue - lives);
        var lockObject = new Lock();
        var coverage = new Coverage();
        var failures = new SortedDictionary<long, SimulationReport>();
        var (done, failed, steps, longest) = (0, 0, 0L, TimeSpan.Zero);
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = parallelism < 0 ? Environment.ProcessorCount : parallelism,
            CancellationToken = cancellation,
        };
        Parallel.For(0, lives, options, number =>
        {
            var report = SimulationRun.Run(firstSeed + number, mutation: mutation);
            lock (lockObject)
            {
                done++;
                steps += report.Steps;
                longest = report.TimeToIdle > longest ? report.TimeToIdle : longest;
                coverage.Add(report.Coverage);
                if (report.Broken is not null)
                {
                    failed++;
                    failures.Add(report.Seed, report);
                    if (failures.Count > KeptFailures)
                    {
                        failures.Remove(failures.Keys.Last());
                    }
                }

                lived?.Invoke(done, failed);
            }
        });
        return new SimulationSummary(lives, [.. failures.Values], failed, longest, steps, coverage);
    }
}
