using System.CommandLine;
using System.CommandLine.Parsing;
using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Compare;

/// <summary>The command line of the comparison with other task queues.</summary>
internal static class CompareCommand
{
    private static readonly Dictionary<string, Fsync> FsyncNames = new() { ["everysec"] = Fsync.EverySecond, ["always"] = Fsync.Always };

    /// <param name="systems">The names of the systems that can be compared, the measured one first.</param>
    /// <param name="run">Runs the comparison and returns the exit code.</param>
    public static Command Create(IReadOnlyList<string> systems, Func<ComparePlan, TextWriter, CancellationToken, Task<int>> run)
    {
        var chosen = CreateSystems(systems);
        var connections = NumberOption.Create("--connections", "Connections of workers.", 16, 1, 1_000);
        var slots = NumberOption.Create("--slots", "Tasks that the workers of one connection run at a time.", 4, 1, ProtocolLimits.MaxPollsPerWorker);
        var tasks = NumberOption.Create("--tasks", "Tasks of each measurement.", 50_000, 1, 1_000_000);
        var warmup = NumberOption.Create("--warmup", "Tasks before each measurement, which are not measured.", 100_000, 0, 1_000_000);
        var warmupLimit = NumberOption.Create("--warmup-limit", "Seconds after which the warm-up of a slow system ends.", 20, 0, 3_600);
        var batch = NumberOption.Create("--batch", "Tasks that are submitted together.", 500, 1, 10_000);
        var submitters = NumberOption.Create("--submitters", "Batches that are submitted at a time.", 4, 1, 100);
        var rounds = NumberOption.Create("--rounds", "Measurements of each system.", 5, 1, 1_000);
        var fsync = ChoiceOption.Create("--fsync", "When the stores wait for the disk.", "everysec|always", Fsync.EverySecond, FsyncNames);
        var limit = NumberOption.Create("--timeout", "Seconds that one measurement may take.", 300, 1, 86_400);
        var directory = new Option<string>("--directory")
        {
            Description = "An existing directory on the disk for the data of the stores. It is cleaned up. Default: that for temporary files.",
            HelpName = "DIR",
        };
        var command = new Command("compare", "Starts the mesh and other task queues in turn, gives each the same tasks, and compares their rates and processor times.")
        {
            chosen, connections, slots, tasks, warmup, warmupLimit, batch, submitters, rounds, fsync, limit, directory,
        };
        command.Runs((parsed, cancellationToken) => run(
            new(
                parsed.GetValue(chosen)!,
                parsed.GetValue(connections),
                parsed.GetValue(slots),
                parsed.GetValue(tasks),
                parsed.GetValue(warmup),
                TimeSpan.FromSeconds(parsed.GetValue(warmupLimit)),
                parsed.GetValue(batch),
                parsed.GetValue(submitters),
                parsed.GetValue(rounds),
                parsed.GetValue(fsync),
                TimeSpan.FromSeconds(parsed.GetValue(limit)),
                FindDirectory(parsed.GetValue(directory))),
            parsed.InvocationConfiguration.Output,
            cancellationToken));
        return command;
    }

    private static Option<IReadOnlyList<string>> CreateSystems(IReadOnlyList<string> systems) => new("--systems")
    {
        Description = "The systems, separated by commas.",
        HelpName = string.Join(',', systems),
        DefaultValueFactory = _ => systems,
        CustomParser = result => ReadSystems(result, systems),
    };

    private static IReadOnlyList<string>? ReadSystems(ArgumentResult result, IReadOnlyList<string> systems)
    {
        var names = result.Tokens[0].Value.Split(',');
        if (names.FirstOrDefault(name => !systems.Contains(name)) is { } unknown)
        {
            result.AddError($"--systems must be of {string.Join(", ", systems)}, not '{unknown}'.");
            return null;
        }

        return [.. systems.Where(names.Contains)];
    }

    private static string FindDirectory(string? given)
    {
        var directory = given ?? Path.GetTempPath();
        return Directory.Exists(directory) ? Path.GetFullPath(directory) : throw new BenchException($"--directory {directory} does not exist.");
    }
}
