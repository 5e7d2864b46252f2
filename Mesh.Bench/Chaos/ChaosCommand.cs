using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The command line of chaos runs.</summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        var minutes = NumberOption.Create("--minutes", "Minutes during which faults are injected.", 1, 0.01, 1_440);
        var seed = NumberOption.CreateOptional("--seed", "The seed of faults and tasks; the timing of the processes is not reproduced. Default: a random one.", 0, int.MaxValue);
        var servers = NumberOption.Create("--servers", "Servers.", 3, 1, 16);
        var workers = NumberOption.Create("--workers", "Workers of each server; every second one uses lines.", 3, 1, 50);
        var lineWorkers = NumberOption.Create("--line-workers", "Python line workers of each server.", 1, 0, 50);
        var interval = NumberOption.Create("--fault-interval", "Mean milliseconds between two faults.", 4_000, 1, 3_600_000);
        var rate = NumberOption.Create("--rate", "Tasks submitted per second.", 100, 1, 100_000);
        var limit = NumberOption.Create("--rest-limit", "Seconds after the last fault within which the mesh must be idle.", 180, 1, 3_600);
        var logs = new Option<string?>("--logs")
        {
            Description = "A new or empty directory for the logs and the data of Redis. Default: a temporary one, deleted after success.",
            HelpName = "DIR",
        };
        var quiet = new Option<bool>("--quiet") { Description = "Print only the result." };

        var command = new Command("chaos", "Runs servers, workers and Redis as processes, kills, freezes and disconnects them under load, and checks that no task was lost or applied twice.")
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
