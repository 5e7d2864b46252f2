using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Idle;

/// <summary>The command line of the idle benchmark.</summary>
internal static class IdleCommand
{
    public static Command Create()
    {
        var server = new ServerOptions();
        var workers = NumberOption.Create("--workers", "Workers that connect and wait.", 20_000, 1, 1_000_000);
        var seconds = NumberOption.Create("--seconds", "Seconds that the workers stay connected.", 60, 1, 86_400);
        var process = NumberOption.CreateOptional("--pid", "The server's process on this machine: its memory and processor time are told.", 1, int.MaxValue);
        var command = new Command("idle", "Connects a crowd of idle workers to a running server, and measures what they cost it.") { server.Url, workers, seconds, server.Token, process };
        command.Runs(async (parsed, cancellationToken) =>
        {
            using var watched = parsed.GetValue(process) is { } id ? ServerProcess.Find(id) : null;
            var run = new IdleRun(
                server.Read(parsed), parsed.GetValue(workers), TimeSpan.FromSeconds(parsed.GetValue(seconds)), watched, parsed.InvocationConfiguration.Output);
            return await run.RunAsync(cancellationToken);
        });
        return command;
    }
}
