using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Simulation.Checks;

namespace Mesh.Bench.Simulate;

/// <summary>The command line of the simulation.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var seed = NumberOption.CreateOptional(
            "--seed", "The seed of the first life. Without --lives it replays this life, and prints all of its steps when it fails. Default: 1.", 0, NumberOption.MaxSeed);
        var lives = NumberOption.CreateOptional("--lives", "The number of lives, which run on all cores. Default: 1000, or 1 with --seed.", 1, int.MaxValue);
        var mutation = ChoiceOption.Create(
            "--mutation", "A deliberate defect in the mesh. An unknown NAME lists all of them.", "NAME", Mutation.None, Enum.GetValues<Mutation>().ToDictionary(one => one.ToString()));
        var command = new Command("simulate", "Simulates lives of a whole mesh with faults, each from a seed, and checks its invariants.") { seed, lives, mutation };
        command.Runs((parsed, cancellationToken) =>
        {
            var first = parsed.GetValue(seed);
            var count = parsed.GetValue(lives);
            return Task.FromResult(first is { } only && (count ?? 1) == 1
                ? SimulateConsole.Replay(only, parsed.GetValue(mutation))
                : SimulateConsole.Run(first ?? 1, count ?? 1_000, parsed.GetValue(mutation), cancellationToken));
        });
        return command;
    }
}
