using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>The command line of the load generator.</summary>
internal static class LoadCommand
{
    private static readonly Dictionary<string, Framing> Transports = new() { ["WebSocket"] = Framing.WebSocket, ["Tcp"] = Framing.Line };

    public static Command Create()
    {
        var server = new ServerOptions();
        var workers = NumberOption.Create("--workers", "Simulated workers.", 64, 1, 50_000);
        var tasks = NumberOption.Create("--tasks", "Tasks to submit.", 200_000, 1, 50_000_000);
        var batch = NumberOption.Create("--batch", "Tasks of one POST.", 500, 1, 50_000);
        var submitters = NumberOption.Create("--submitters", "POSTs under way at a time.", 4, 1, 1_000);
        var patience = NumberOption.Create("--timeout", "Seconds without progress after which the run is given up.", 30, 1, 86_400);
        var transport = ChoiceOption.Create("--transport", "How the workers connect.", "WebSocket|Tcp", Framing.WebSocket, Transports);
        var json = new Option<bool>("--json") { Description = "Print the result as JSON, and nothing else." };

        var command = new Command("load", "Submits tasks to a running server, works them off with simulated workers, and measures.")
        {
            server.Url, workers, tasks, transport, batch, submitters, server.Token, patience, json,
        };
        command.Runs((parsed, cancellationToken) => LoadRun.RunAsync(
            new LoadPlan(
                server.Read(parsed),
                parsed.GetValue(workers),
                parsed.GetValue(tasks),
                parsed.GetValue(transport),
                parsed.GetValue(batch),
                parsed.GetValue(submitters),
                TimeSpan.FromSeconds(parsed.GetValue(patience))),
            parsed.GetValue(json),
            cancellationToken));
        return command;
    }
}
