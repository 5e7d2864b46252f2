using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Mesh.Bench.Chaos;
using Mesh.Bench.Compare.Running;

namespace Mesh.Bench.Compare.Micro;

/// <summary>Runs the micro-benchmarks in this process, with a Redis of their own.</summary>
internal static class MicroRun
{
    // The three of BenchmarkDotNet give no useful error.
    private const int ShortIterations = 10;

    /// <param name="filter">A glob of the full names of benchmarks.</param>
    /// <returns>The exit code: 0 when each benchmark has a result.</returns>
    public static async Task<int> RunAsync(string filter, MicroLength length, TextWriter output, CancellationToken cancellationToken)
    {
        List<Type> types = [typeof(MessageReaderBenchmarks), typeof(MessageWriterBenchmarks), typeof(CoreStepBenchmarks), typeof(WorkersBenchmarks), typeof(QueueBenchmarks), typeof(PeersBenchmarks)];
        var directory = Directory.CreateTempSubdirectory("mesh-micro-");
        try
        {
            if (RedisProcess.FindProgram() is null)
            {
                await output.WriteLineAsync($"{nameof(StoreBatchBenchmarks)} is skipped: {RedisProcess.Missing}");
                return await RunAsync(types, filter, CreateConfiguration(length, directory.FullName), cancellationToken);
            }

            StoreBatchBenchmarks.RedisPort = PortAllocator.Next();
            await using var redis = await RedisProcess.StartAsync(StoreBatchBenchmarks.RedisPort, Fsync.EverySecond, directory.FullName, cancellationToken);
            return await RunAsync([.. types, typeof(StoreBatchBenchmarks)], filter, CreateConfiguration(length, directory.FullName), cancellationToken);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    // BenchmarkDotNet cannot be cancelled. Its thread ends with this process.
    private static async Task<int> RunAsync(IEnumerable<Type> types, string filter, IConfig configuration, CancellationToken cancellationToken)
    {
        var summaries = await Task.Run(() => BenchmarkSwitcher.FromTypes([.. types]).Run(["--filter", filter], configuration), cancellationToken).WaitAsync(cancellationToken);
        return summaries.Any() && summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }

    /// <summary>Runs the benchmarks in this process, because a process of their own needs a build of a generated project.</summary>
    private static ManualConfig CreateConfiguration(MicroLength length, string directory) => ManualConfig.CreateEmpty()
        .AddJob(JobOf(length).WithToolchain(InProcessEmitToolchain.Instance))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddExporter(MarkdownExporter.Console)
        .AddLogger(ConsoleLogger.Unicode)
        .WithOptions(ConfigOptions.JoinSummary)
        .WithArtifactsPath(directory);

    private static Job JobOf(MicroLength length) => length switch
    {
        MicroLength.Short => Job.ShortRun.WithIterationCount(ShortIterations),
        MicroLength.Medium => Job.MediumRun,
        MicroLength.Long => Job.LongRun,
        _ => throw new InvalidOperationException($"Length {length} is unknown."),
    };
}
