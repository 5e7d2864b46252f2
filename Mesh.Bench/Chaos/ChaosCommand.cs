using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The command line of chaos.</summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        var minutes = NumberOption.Create("--minutes", "How long faults happen.", 1, 0.01, 1_440);
        var seed = NumberOption.CreateOptional("--seed", "Draws faults and tasks; the processes' own timing is not repeated. Default: a new one.", 0, int.MaxValue);
        var servers = NumberOption.Create("--servers", "Servers.", 3, 1, 16);
        var workers = NumberOption.Create("--workers", "Workers of each server; every second one speaks lines.", 3, 1, 50);
        var lineWorkers = NumberOption.Create("--line-workers", "Python line workers of each server.", 1, 0, 50);
        var interval = NumberOption.Create("--fault-interval", "Mean milliseconds between two faults.", 4_000, 1, 3_600_000);
        var rate = NumberOption.Create("--rate", "Tasks submitted a second.", 100, 1, 100_000);
        var limit = NumberOption.Create("--rest-limit", "Seconds after the last fault within which all must be at rest.", 180, 1, 3_600);
        var logs = new Option<string?>("--logs")
        {
            Description = "Where logs and Redis' data are kept: a new or an empty directory. Default: a temporary one, deleted after success.",
            HelpName = "DIR",
        };
        var quiet = new Option<bool>("--quiet") { Description = "Print the result alone." };

        var command = new Command("chaos", "Runs servers, workers and Redis as processes, kills, freezes and cuts them off under load, and holds what came of it against what was promised.")
        {
            minutes, seed, servers, workers, lineWorkers, interval, rate, limit, logs, quiet,
        };
        command.Runs(async (parsed, cancellationToken) =>
        {
            if (OperatingSystem.IsWindows())
            {
                throw new BenchException("chaos needs POSIX signals: run it on Linux or macOS.");
            }

            var given = parsed.GetValue(logs) is { } directory ? ChaosLogDirectory.Prepare(directory) : null;
            var programs = ChaosPrograms.Find(python: parsed.GetValue(lineWorkers) > 0);
            var plan = new ChaosPlan(
                TimeSpan.FromMinutes(parsed.GetValue(minutes)),
                parsed.GetValue(seed) ?? Random.Shared.Next(),
                parsed.GetValue(servers),
                parsed.GetValue(workers),
                parsed.GetValue(lineWorkers),
                TimeSpan.FromMilliseconds(parsed.GetValue(interval)),
                parsed.GetValue(rate),
                TimeSpan.FromSeconds(parsed.GetValue(limit)),
                given ?? Directory.CreateTempSubdirectory("mesh-chaos-").FullName,
                programs);
            var result = await new ChaosRun(plan, parsed.GetValue(quiet), TimeProvider.System).RunAsync(cancellationToken);
            if (result == 0 && given is null)
            {
                Directory.Delete(plan.Directory, recursive: true);
            }

            return result;
        });
        return command;
    }
}
