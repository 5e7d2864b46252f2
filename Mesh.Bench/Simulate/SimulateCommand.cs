using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Simulation;

namespace Mesh.Bench.Simulate;

/// <summary>The command line of the simulation.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var seed = NumberOption.CreateOptional(
            "--seed", "The seed of the first life; alone it replays that life, with all of its steps when it fails. Default: 1.", 0, NumberOption.MaxSeed);
        var lives = NumberOption.CreateOptional("--lives", "How many lives to run, on all cores. Default: 1000, or 1 with --seed.", 1, int.MaxValue);
        var mutation = ChoiceOption.Create(
            "--mutation", "A deliberate mistake to live with; a NAME that there is not lists them.", "NAME", Mutation.None, Enum.GetValues<Mutation>().ToDictionary(one => one.ToString()));
        var command = new Command("simulate", "Runs lives of a whole mesh amid faults, each from a seed, and checks what must hold.") { seed, lives, mutation };
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
