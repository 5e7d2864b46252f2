namespace Mesh.Simulation;

/// <summary>What came of many lives.</summary>
/// <param name="Failures">Of the lives that broke an invariant, the first few by seed.</param>
/// <param name="Failed">How many there were.</param>
/// <param name="LongestTimeToIdle">The longest that a mesh took to rest after the faults.</param>
/// <param name="Coverage">What happened in all of them together.</param>
public sealed record SimulationSummary(int Lives, IReadOnlyList<SimulationReport> Failures, int Failed, TimeSpan LongestTimeToIdle, long Steps, Coverage Coverage);

/// <summary>Runs many lives, each on one thread, several at a time.</summary>
public static class SimulationBatch
{
    /// <summary>Failures that are kept whole.</summary>
    public const int KeptFailures = 5;

    /// <param name="firstSeed">The lives have this seed and those that follow it.</param>
    /// <param name="mutation">A mistake that the lives are lived with.</param>
    /// <param name="lives">At least one.</param>
    /// <param name="parallelism">Lives at a time; -1 for one a core.</param>
    /// <param name="lived">Called after each life, by one thread at a time, with the number of lives and of failures so far.</param>
    public static SimulationSummary Run(
        long firstSeed,
        int lives,
        Mutation mutation = Mutation.None,
        int parallelism = -1,
        Action<int, int>? lived = null,
        CancellationToken cancellation = default)
    {
        // A check that checks nothing must not pass.
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
