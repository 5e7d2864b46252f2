using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare;

/// <summary>Measures the systems in turn, in rounds, and prints the report.</summary>
internal static class CompareRun
{
    /// <returns>The exit code: 0 when each system without an obstacle was measured in each round.</returns>
    /// <exception cref="BenchException">A measurement failed, or the system to compare with is missing.</exception>
    public static async Task<int> RunAsync(ComparePlan plan, IReadOnlyList<IComparedSystem> all, TextWriter output, CancellationToken cancellationToken)
    {
        var systems = await FindReadyAsync(plan, all, output);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Tasks:N0} tasks after {plan.Warmup:N0} or {plan.WarmupLimit.TotalSeconds:0} s for warm-up, in batches of {plan.Batch} by {plan.Submitters} submitters; {plan.Concurrency} at a time ({plan.Connections} connections x {plan.Slots}); fsync {(plan.Fsync == Fsync.Always ? "always" : "everysec")}; {plan.Rounds} rounds"));
        var report = new CompareReport(systems[0].Name);
        using var progress = new ProgressLine();
        for (var round = 0; round < plan.Rounds; round++)
        {
            foreach (var system in SystemRotation.Order(systems, round))
            {
                progress.Show($"Round {round + 1} of {plan.Rounds}: {system.Name}");
                report.Add(round, await MeasureAsync(system, plan, cancellationToken));
            }

            progress.Show("");
            await output.WriteLineAsync(report.DescribeRound(round));
        }

        await output.WriteLineAsync(report.Summarize());
        return 0;
    }

    private static async Task<IReadOnlyList<IComparedSystem>> FindReadyAsync(ComparePlan plan, IReadOnlyList<IComparedSystem> all, TextWriter output)
    {
        var ready = new List<IComparedSystem>();
        foreach (var system in all.Where(system => plan.Systems.Contains(system.Name)))
        {
            if (system.FindObstacle(plan) is { } obstacle)
            {
                await output.WriteLineAsync($"{system.Name} is skipped: {obstacle}");
            }
            else
            {
                ready.Add(system);
            }
        }

        return ready.Count > 0 ? ready : throw new BenchException("No system can be measured.");
    }

    private static async Task<SystemMeasurement> MeasureAsync(IComparedSystem system, ComparePlan plan, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(plan.Directory, $"mesh-compare-{Guid.NewGuid():N}"));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(plan.Limit);
        try
        {
            return await system.MeasureAsync(plan, directory.FullName, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BenchException($"{system.Name}: the measurement has not ended within --timeout {plan.Limit.TotalSeconds:0} s.");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
