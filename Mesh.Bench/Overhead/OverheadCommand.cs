using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Overhead;

/// <summary>The command line of the comparison of the worker package with a bare loop.</summary>
internal static class OverheadCommand
{
    public static Command Create()
    {
        var server = new ServerOptions();
        var workers = NumberOption.Create("--workers", "Workers, with one connection each.", 16, 1, 1_000);
        var slots = NumberOption.Create("--slots", "Tasks that one worker runs at a time.", 4, 1, ProtocolLimits.MaxPollsPerWorker);
        var tasks = NumberOption.Create("--tasks", "Tasks of each round.", 20_000, 1, 10_000_000);
        var rounds = NumberOption.Create("--rounds", "Rounds of each kind of worker.", 15, 1, 1_000);
        var limit = NumberOption.CreateOptional("--max-overhead", "Percent of the time of the loop that the package may take more, else the run fails.", 0, 1_000);
        var command = new Command("overhead", "Compares workers of the package MeshAspire.Worker with a bare loop, in turn, on a running server.") { server.Url, server.Token, workers, slots, tasks, rounds, limit };
        command.Runs((parsed, cancellationToken) => OverheadRun.RunAsync(
            new(server.Read(parsed), parsed.GetValue(workers), parsed.GetValue(slots), parsed.GetValue(tasks), parsed.GetValue(rounds), parsed.GetValue(limit)),
            parsed.InvocationConfiguration.Output,
            cancellationToken));
        return command;
    }
}
