using System.CommandLine;
using Mesh.Fuzz;
using Spectre.Console;

namespace Mesh.Bench.Fuzz;

/// <summary>The command line of the fuzzer.</summary>
internal static class FuzzCommand
{
    public static Command Create()
    {
        var seed = new Option<long>("--seed") { Description = "The seed of the first case. Default: 1.", DefaultValueFactory = _ => 1 };
        var count = new Option<int>("--count") { Description = "How many cases: connections with bad messages or frames, and requests. Default: 100000.", DefaultValueFactory = _ => 100_000 };
        var command = new Command("fuzz", "Feeds a server, in memory, with bad input on both transports and over HTTP, and checks what it makes of it.") { seed, count };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(seed), parsed.GetValue(count), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(long seed, int count, CancellationToken cancellationToken)
    {
        var report = await FuzzRun.RunAsync(seed, count, done => Console.Error.Write($"\r{done:N0} of {count:N0}"), cancellationToken);
        Console.Error.WriteLine();
        var answers = new Table().AddColumns("answer", "times");
        foreach (var (answer, times) in report.Answers.OrderByDescending(pair => pair.Value))
        {
            answers.AddRow(Markup.Escape(answer), $"{times:N0}");
        }

        AnsiConsole.Write(answers);
        Console.WriteLine(
            $"{report.Cases:N0} cases in {report.Elapsed.TotalSeconds:N1} s; memory grew by {report.MemoryGrowth / 1024:N0} KiB; "
            + $"another peer had {report.WitnessAnswers:N0} answers meanwhile, the slowest in {report.WitnessSlowest.TotalMilliseconds:N0} ms.");
        var grown = report.MemoryGrowth > FuzzRun.MemoryLimit ? $"That is more than {FuzzRun.MemoryLimit:N0} bytes of memory." : null;
        foreach (var fault in new[] { report.Failure?.What, report.General, grown }.OfType<string>())
        {
            Console.WriteLine(fault);
        }

        if (report.Failure is { } failure)
        {
            Console.WriteLine($"Replay it: {failure.Replay}");
        }

        return report.Failure is null && report.General is null && grown is null ? 0 : 1;
    }
}
