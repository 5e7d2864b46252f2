using System.CommandLine;
using System.CommandLine.Parsing;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>The command line of the load generator.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url")
        {
            Description = "The server's address.",
            DefaultValueFactory = _ => new Uri("http://127.0.0.1:9001"),
            CustomParser = ReadUrl,
        };
        var workers = Count("--workers", "Simulated workers.", 64);
        var tasks = Count("--tasks", "Tasks to submit.", 200_000);
        var batch = Count("--batch", "Tasks of one POST.", 500);
        var submitters = Count("--submitters", "POSTs under way at a time.", 4);
        var patience = Count("--timeout", "Seconds without progress after which the run is given up.", 30);
        var transport = new Option<string>("--transport") { Description = "How the workers connect.", DefaultValueFactory = _ => "websocket" };
        transport.AcceptOnlyFromAmong("websocket", "tcp");
        var token = new Option<string?>("--token") { Description = "The server's Mesh__Token." };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON, and nothing else." };

        var command = new Command("load", "Submits tasks to a running server, works them off with simulated workers, and measures.")
        {
            url, workers, tasks, transport, batch, submitters, token, patience, json,
        };
        command.SetAction((parsed, cancellationToken) => LoadRun.RunAsync(
            new LoadPlan(
                parsed.GetValue(url)!,
                parsed.GetValue(workers),
                parsed.GetValue(tasks),
                parsed.GetValue(transport) == "tcp" ? Framing.Line : Framing.WebSocket,
                parsed.GetValue(batch),
                parsed.GetValue(submitters),
                parsed.GetValue(token),
                TimeSpan.FromSeconds(parsed.GetValue(patience))),
            parsed.GetValue(json),
            cancellationToken));
        return command;
    }

    internal static Uri? ReadUrl(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
        {
            return url;
        }

        result.AddError("--url must be such as http://127.0.0.1:9001.");
        return null;
    }

    private static Option<int> Count(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = $"{description} Default: {value}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"{name} must be at least 1.");
            }
        });
        return option;
    }
}
