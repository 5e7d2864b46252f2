using System.Globalization;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Load;
using Mesh.Protocol;

namespace Mesh.Bench.Overhead;

/// <param name="Limit">Percent; null when the overhead is only reported.</param>
internal sealed record OverheadPlan(MeasuredServer Server, int Workers, int Slots, int Tasks, int Rounds, int? Limit);

/// <summary>Runs the load with both kinds of workers in turn, so that a change of the machine's speed meets both.</summary>
internal static class OverheadRun
{
    private const int Batch = 500;
    private const int Submitters = 4;
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    /// <returns>The exit code.</returns>
    /// <exception cref="BenchException">The run failed, or the overhead exceeds the limit.</exception>
    public static async Task<int> RunAsync(OverheadPlan plan, TextWriter output, CancellationToken cancellationToken)
    {
        var ratios = new List<double>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            // The order changes, because the second of two runs meets warmer code.
            var (first, second) = round % 2 == 0 ? (WorkerKind.Package, WorkerKind.Loop) : (WorkerKind.Loop, WorkerKind.Package);
            var (one, other) = (await MeasureAsync(plan, first, cancellationToken), await MeasureAsync(plan, second, cancellationToken));
            var (loop, package) = first == WorkerKind.Loop ? (one, other) : (other, one);
            ratios.Add(loop.TasksPerSecond / package.TasksPerSecond);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Round {round}: loop {loop.TasksPerSecond:N0} tasks/s, package {package.TasksPerSecond:N0} tasks/s, time ratio {ratios[^1]:N3}"));
        }

        ratios.Sort();
        var median = ratios[ratios.Count / 2];
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"A task of the package takes {median:N3} times the time of one of the loop (median; {ratios[0]:N3} to {ratios[^1]:N3})."));
        return plan.Limit is { } limit && median > 1 + (limit / 100.0)
            ? throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The overhead is {(median - 1) * 100:N1} %, more than --max-overhead {limit}."))
            : 0;
    }

    private static Task<LoadReport> MeasureAsync(OverheadPlan plan, WorkerKind kind, CancellationToken cancellationToken) => LoadRun.MeasureAsync(
        new LoadPlan(plan.Server, kind, plan.Workers, plan.Slots, plan.Tasks, Framing.WebSocket, Batch, Submitters, StallTimeout, new(null, null)), null, null, cancellationToken);
}
