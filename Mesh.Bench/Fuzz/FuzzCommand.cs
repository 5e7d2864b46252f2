using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Fuzz;
using Spectre.Console;

namespace Mesh.Bench.Fuzz;

/// <summary>The command line of the fuzzer.</summary>
internal static class FuzzCommand
{
    public static Command Create()
    {
        var seed = NumberOption.Create("--seed", "The seed of the first case.", 1, 0, NumberOption.MaxSeed);
        var count = NumberOption.Create("--count", "The number of cases: connections with bad messages or frames, and requests.", 100_000, 1, int.MaxValue);
        var command = new Command("fuzz", "Feeds a server, in memory, with bad input on both transports and over HTTP, and checks what it makes of it.") { seed, count };
        command.Runs((parsed, cancellationToken) => RunAsync(parsed.GetValue(seed), parsed.GetValue(count), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(long seed, int count, CancellationToken cancellationToken)
    {
        var report = await RunCasesAsync(seed, count, cancellationToken);
        var answers = new Table().AddColumns("answer", "times");
        foreach (var (answer, times) in report.Answers.OrderByDescending(pair => pair.Value))
        {
            answers.AddRow(Markup.Escape(answer), $"{times:N0}");
        }

        AnsiConsole.Write(answers);
        Console.WriteLine(
            $"{report.Cases:N0} cases in {report.Elapsed.TotalSeconds:N1} s; memory grew by {report.MemoryGrowth / 1024:N0} KiB; "
            + $"the control peer received {report.ControlPeerResponses:N0} answers, the slowest in {report.ControlPeerSlowest.TotalMilliseconds:N0} ms.");
        var grown = report.MemoryGrowth > FuzzRun.MemoryLimit ? $"The memory grew by more than {FuzzRun.MemoryLimit:N0} bytes." : null;
        foreach (var fault in new[] { report.Failure?.What, report.ServerFailure, grown }.OfType<string>())
        {
            Console.WriteLine(fault);
        }

        if (report.Failure is { } failure)
        {
            Console.WriteLine($"Replay it: {failure.Replay}");
        }

        return report.Failure is null && report.ServerFailure is null && grown is null ? 0 : 1;
    }

    private static async Task<FuzzReport> RunCasesAsync(long seed, int count, CancellationToken cancellationToken)
    {
        using var progress = new ProgressLine();
        return await FuzzRun.RunAsync(seed, count, done => progress.Show($"{done:N0} of {count:N0}"), cancellationToken);
    }
}
