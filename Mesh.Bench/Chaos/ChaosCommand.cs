using System.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The command line of chaos.</summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        var minutes = new Option<double>("--minutes") { Description = "How long faults happen. Default: 1.", DefaultValueFactory = _ => 1 };
        minutes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 1440))
            {
                result.AddError("--minutes must lie between 0 and 1440.");
            }
        });
        var seed = new Option<int?>("--seed") { Description = "Draws faults and tasks; the processes' own timing is not repeated. Default: a new one." };
        var servers = Count("--servers", "Servers.", 3, 1, 16);
        var workers = Count("--workers", "Workers of each server; every second one speaks lines.", 3, 1, 50);
        var lineWorkers = Count("--line-workers", "Python line workers of each server.", 1, 0, 50);
        var interval = Count("--fault-interval", "Mean milliseconds between two faults.", 4_000, 1, 3_600_000);
        var rate = Count("--rate", "Tasks submitted a second.", 100, 1, 100_000);
        var limit = Count("--rest-limit", "Seconds after the last fault within which all must be at rest.", 180, 1, 3_600);
        var logs = new Option<DirectoryInfo?>("--logs") { Description = "Where logs and Redis' data are kept. Default: a new temporary directory, deleted after success." };
        var quiet = new Option<bool>("--quiet") { Description = "Print the result alone." };

        var command = new Command("chaos", "Runs servers, workers and Redis as processes, kills, freezes and cuts them off under load, and holds what came of it against what was promised.")
        {
            minutes, seed, servers, workers, lineWorkers, interval, rate, limit, logs, quiet,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (OperatingSystem.IsWindows())
            {
                await Console.Error.WriteLineAsync("chaos needs POSIX signals: run it on Linux or macOS.");
                return 2;
            }

            var given = parsed.GetValue(logs)?.FullName;
            var plan = new ChaosPlan(
                TimeSpan.FromMinutes(parsed.GetValue(minutes)),
                parsed.GetValue(seed) ?? Random.Shared.Next(),
                parsed.GetValue(servers),
                parsed.GetValue(workers),
                parsed.GetValue(lineWorkers),
                TimeSpan.FromMilliseconds(parsed.GetValue(interval)),
                parsed.GetValue(rate),
                TimeSpan.FromSeconds(parsed.GetValue(limit)),
                given ?? Directory.CreateTempSubdirectory("mesh-chaos-").FullName);
            var result = await new ChaosRun(plan, parsed.GetValue(quiet), TimeProvider.System).RunAsync(cancellationToken);
            if (result == 0 && given is null)
            {
                Directory.Delete(plan.Directory, recursive: true);
            }

            return result;
        });
        return command;
    }

    private static Option<int> Count(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name) { Description = $"{description} Default: {value}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (result.GetValueOrDefault<int>() < least || result.GetValueOrDefault<int>() > most))
            {
                result.AddError($"{name} must lie between {least} and {most}.");
            }
        });
        return option;
    }
}
