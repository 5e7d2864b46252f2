using System.Diagnostics;
using Mesh.Bench.CommandLine;
using Mesh.Simulation;
using Mesh.Simulation.Checks;

namespace Mesh.Bench.Simulate;

/// <summary>Runs lives and prints their results on standard output. Progress goes to standard error.</summary>
internal static class SimulateConsole
{
    private const int AllSteps = 1_000_000;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    /// <returns>The exit code: 0 when the life kept every invariant.</returns>
    public static int Replay(long seed, Mutation mutation)
    {
        var life = SimulationRun.Run(seed, AllSteps, mutation: mutation);
        Console.WriteLine(life);
        if (life.Broken is null)
        {
            Console.WriteLine($"{life.Plan}; {life.Steps:N0} steps, idle {life.TimeToIdle.TotalSeconds:0} s after the faults");
            Console.WriteLine(life.Coverage);
        }

        return life.Broken is null ? 0 : 1;
    }

    /// <returns>The exit code: 0 when all lives kept every invariant.</returns>
    public static int Run(long firstSeed, int lives, Mutation mutation, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var summary = RunSimulations(firstSeed, lives, mutation, cancellationToken);
        foreach (var failure in summary.Failures)
        {
            Console.WriteLine(failure);
            Console.WriteLine();
        }

        Console.WriteLine(summary.Coverage);
        Console.WriteLine($"{lives:N0} lives from seed {firstSeed} in {clock.Elapsed.TotalSeconds:0.0} s, {summary.Steps:N0} steps; "
            + $"{summary.Failed:N0} failed; idle at most {summary.LongestTimeToIdle.TotalSeconds:0} s after the faults");
        return summary.Failed == 0 ? 0 : 1;
    }

    private static SimulationSummary RunSimulations(long firstSeed, int lives, Mutation mutation, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var nextTold = ProgressInterval;
        using var progress = new ProgressLine();
        return SimulationBatch.Run(firstSeed, lives, mutation, lived: WriteProgress, cancellation: cancellationToken);

        void WriteProgress(int done, int failed)
        {
            if (clock.Elapsed >= nextTold || done == lives)
            {
                nextTold = clock.Elapsed + ProgressInterval;
                progress.Show($"{done:N0} of {lives:N0} lives, {done / clock.Elapsed.TotalSeconds:0} a second, {failed:N0} failed");
            }
        }
    }
}
