using System.CommandLine;
using Mesh.Bench.Load;

namespace Mesh.Bench.Idle;

/// <summary>The command line of the idle crowd.</summary>
internal static class IdleCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url")
        {
            Description = "The server's address.",
            DefaultValueFactory = _ => new Uri("http://127.0.0.1:9001"),
            CustomParser = LoadCommand.ReadUrl,
        };
        var workers = new Option<int>("--workers") { Description = "Workers that connect and wait. Default: 20000.", DefaultValueFactory = _ => 20_000 };
        var seconds = new Option<int>("--seconds") { Description = "How long they stay. Default: 60.", DefaultValueFactory = _ => 60 };
        var token = new Option<string?>("--token") { Description = "The server's Mesh__Token." };
        var process = new Option<int?>("--pid") { Description = "The server's process on this machine: its memory and processor time are told (Linux)." };
        var command = new Command("idle", "Connects a crowd of idle workers to a running server, and measures what they cost it.") { url, workers, seconds, token, process };
        command.SetAction((parsed, cancellationToken) => new IdleRun(
            parsed.GetValue(url)!, parsed.GetValue(workers), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(token), parsed.GetValue(process))
            .RunAsync(cancellationToken));
        return command;
    }
}
