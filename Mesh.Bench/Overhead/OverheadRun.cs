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
        // The first run of each kind compiles its code and is not counted.
        await MeasureAsync(plan, WorkerKind.Loop, cancellationToken);
        await MeasureAsync(plan, WorkerKind.Package, cancellationToken);
        var rounds = new List<OverheadRound>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            var (first, second) = round % 2 == 0 ? (WorkerKind.Package, WorkerKind.Loop) : (WorkerKind.Loop, WorkerKind.Package);
            var (one, other) = (await MeasureAsync(plan, first, cancellationToken), await MeasureAsync(plan, second, cancellationToken));
            rounds.Add(first == WorkerKind.Loop ? new(one, other) : new(other, one));
            await output.WriteLineAsync(rounds[^1].ToString(round));
        }

        var overhead = Overhead.Of(rounds);
        await output.WriteLineAsync(overhead.ToString());
        return plan.Limit is { } limit && overhead.Median > 1 + (limit / 100.0)
            ? throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The overhead is {(overhead.Median - 1) * 100:N1} %, more than --max-overhead {limit}."))
            : 0;
    }

    private static Task<LoadReport> MeasureAsync(OverheadPlan plan, WorkerKind kind, CancellationToken cancellationToken) => LoadRun.MeasureAsync(
        new LoadPlan(plan.Server, kind, plan.Workers, plan.Slots, plan.Tasks, Framing.WebSocket, Batch, Submitters, StallTimeout, new(null, null)), null, null, cancellationToken);
}

/// <summary>One round: a run with each kind of worker.</summary>
internal sealed record OverheadRound(LoadReport Loop, LoadReport Package)
{
    /// <summary>The time of a task of the package by that of a task of the loop.</summary>
    public double Ratio => Loop.TasksPerSecond / Package.TasksPerSecond;

    public string ToString(int number) => string.Create(
        CultureInfo.InvariantCulture,
        $"Round {number}: loop {Loop.TasksPerSecond:N0} tasks/s ({Loop.ProcessorMicroseconds:N1} µs of the generator's processor time a task), "
        + $"package {Package.TasksPerSecond:N0} tasks/s ({Package.ProcessorMicroseconds:N1} µs), time ratio {Ratio:N3}");
}

/// <summary>The result of all rounds.</summary>
/// <param name="Median">The median of the ratios.</param>
/// <param name="Loop">The generator's processor time of a task of the loop, in microseconds: the median.</param>
/// <param name="Package">The same of the package.</param>
internal sealed record Overhead(double Median, double Least, double Most, double Loop, double Package)
{
    public static Overhead Of(IReadOnlyList<OverheadRound> rounds) => new(
        MedianOf(rounds.Select(round => round.Ratio)),
        rounds.Min(round => round.Ratio),
        rounds.Max(round => round.Ratio),
        MedianOf(rounds.Select(round => round.Loop.ProcessorMicroseconds)),
        MedianOf(rounds.Select(round => round.Package.ProcessorMicroseconds)));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"A task of the package takes {Median:N3} times the time of one of the loop (median; {Least:N3} to {Most:N3}), and {Package:N1} µs of the generator's processor time instead of {Loop:N1} µs.");

    private static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
