using System.CommandLine;
using Mesh.Simulation;

namespace Mesh.Bench.Simulate;

/// <summary>The command line of the simulation.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var seed = new Option<long?>("--seed") { Description = "The seed of the first life; alone it replays that life, with all of its steps when it fails." };
        var lives = new Option<int?>("--lives") { Description = "How many lives to run, on all cores. Default: 1000, or 1 with --seed." };
        var mutation = new Option<Mutation>("--mutation") { Description = "A deliberate mistake to live with." };
        var command = new Command("simulate", "Runs lives of a whole mesh amid faults, each from a seed, and checks what must hold.") { seed, lives, mutation };
        command.SetAction((parsed, cancellationToken) =>
        {
            var first = parsed.GetValue(seed);
            var count = parsed.GetValue(lives);
            return Task.FromResult(first is { } only && (count ?? 1) == 1
                ? SimulateRun.Replay(only, parsed.GetValue(mutation))
                : SimulateRun.Run(first ?? 1, count ?? 1_000, parsed.GetValue(mutation), cancellationToken));
        });
        return command;
    }
}
