using System.Diagnostics;
using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Generators;

/// <summary>Runs a generator as <see cref="Running.GeneratorProcess"/> expects.</summary>
internal static class GeneratorRun
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            var load = Workload.Parse([.. arguments.Skip(1)]);
            await using var generator = Create(arguments[0], load);
            await generator.ConnectAsync(CancellationToken.None);
            var first = await WarmUpAsync(generator, load);
            await Console.Out.WriteLineAsync("ready");

            // The end of the standard input is the end of the process that has started this one.
            if (await Console.In.ReadLineAsync() is null)
            {
                return 1;
            }

            var clock = Stopwatch.StartNew();
            await RunTasksAsync(generator, load, first, first + load.Tasks);
            await Console.Out.WriteLineAsync(clock.Elapsed.TotalSeconds.ToString("R", CultureInfo.InvariantCulture));
            await Console.In.ReadLineAsync();
            return 0;
        }
        catch (BenchException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return 1;
        }
    }

    private static IGenerator Create(string system, Workload load) => system switch
    {
        "mesh" => new MeshGenerator(load),
        "hangfire" => new HangfireGenerator(load),
        "nats" => new NatsGenerator(load),
        _ => throw new BenchException($"{system} has no generator here."),
    };

    /// <returns>The number of tasks that have run.</returns>
    private static async Task<int> WarmUpAsync(IGenerator generator, Workload load)
    {
        var (clock, limit, done) = (Stopwatch.StartNew(), TimeSpan.FromSeconds(load.WarmupLimit), 0);
        while (done < load.Warmup && clock.Elapsed < limit)
        {
            var end = Math.Min(done + (load.Batch * load.Submitters), load.Warmup);
            await RunTasksAsync(generator, load, done, end);
            done = end;
        }

        return done;
    }

    private static async Task RunTasksAsync(IGenerator generator, Workload load, int first, int end)
    {
        var next = first;
        await Task.WhenAll(Enumerable.Range(0, load.Submitters).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Add(ref next, load.Batch) - load.Batch is var start && start < end)
            {
                await generator.SubmitAsync(start, Math.Min(load.Batch, end - start), CancellationToken.None);
            }
        })));
        while (generator.Completed < end)
        {
            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }
}
