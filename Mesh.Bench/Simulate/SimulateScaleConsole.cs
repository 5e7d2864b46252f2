using Mesh.Bench.CommandLine;
using Mesh.Simulation.Scale;

namespace Mesh.Bench.Simulate;

/// <summary>Runs one large mesh without faults and prints its figures on standard output. Progress goes to standard error.</summary>
internal static class SimulateScaleConsole
{
    /// <returns>The exit code: 0 when the hot spot was balanced and all workers came home.</returns>
    public static int Run(long seed, ScaleOptions options, CancellationToken cancellationToken)
    {
        var report = Simulate(seed, options, cancellationToken);
        Console.WriteLine(report);
        return report is { TimeToBalance: not null, TimeToRest: not null } ? 0 : 1;
    }

    private static ScaleReport Simulate(long seed, ScaleOptions options, CancellationToken cancellationToken)
    {
        using var progress = new ProgressLine();
        return ScaleRun.Run(seed, options, time => progress.Show($"{time.TotalSeconds:0} s of virtual time"), cancellationToken);
    }
}
