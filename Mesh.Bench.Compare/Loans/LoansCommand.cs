using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Loans;

/// <summary>The command line of the measurement of loans.</summary>
internal static class LoansCommand
{
    public static Command Create()
    {
        var workers = NumberOption.Create("--workers", "Workers of the server that lends.", 4, 2, 1_000);
        var rounds = NumberOption.Create("--rounds", "Measured loans. Each takes some 7 s.", 30, 1, 10_000);
        var command = new Command("loans", "Starts two servers, and measures how soon a borrowed worker runs a task of the server that borrows.") { workers, rounds };
        command.Runs((parsed, cancellationToken) => LoansRun.RunAsync(parsed.GetValue(workers), parsed.GetValue(rounds), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }
}
