using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Scale;

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
        var servers = NumberOption.CreateOptional("--servers", "Simulates one mesh of so many servers without faults instead, and measures a hot spot.", 2, 10_000);
        var workers = NumberOption.Create("--workers", "With --servers: the number of workers of each server.", 100, 1, 10_000);
        var peers = NumberOption.Create("--peers", "With --servers: the number of servers that each server knows.", 8, 1, 1_000);
        var tasks = NumberOption.Create("--tasks", "With --servers: the number of tasks that one server gets at once.", 50_000, 0, 1_000_000);
        var command = new Command("simulate", "Simulates lives of a whole mesh with faults, each from a seed, and checks its invariants.")
        {
            seed, lives, mutation, servers, workers, peers, tasks,
        };
        command.Runs((parsed, cancellationToken) =>
        {
            var first = parsed.GetValue(seed);
            var count = parsed.GetValue(lives);
            if (parsed.GetValue(servers) is { } size)
            {
                if (count is not null || parsed.GetValue(mutation) != Mutation.None)
                {
                    throw new BenchException("--lives and --mutation do not apply to --servers, which simulates one mesh without faults.");
                }

                var options = new ScaleOptions(size, parsed.GetValue(workers), parsed.GetValue(peers), parsed.GetValue(tasks));
                return Task.FromResult(SimulateScaleConsole.Run(first ?? 1, options, cancellationToken));
            }

            return Task.FromResult(first is { } only && (count ?? 1) == 1
                ? SimulateConsole.Replay(only, parsed.GetValue(mutation))
                : SimulateConsole.Run(first ?? 1, count ?? 1_000, parsed.GetValue(mutation), cancellationToken));
        });
        return command;
    }
}
