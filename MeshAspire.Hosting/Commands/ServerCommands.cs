using System.Text.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Hosting.Commands;

/// <summary>The commands of a server in the dashboard and in <c>aspire resource server-a …</c>. Each command returns its result as text.</summary>
internal static class ServerCommands
{
    private static readonly TimeSpan ReturnLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReturnStep = TimeSpan.FromMilliseconds(250);

    public static IResourceBuilder<ProjectResource> WithServerCommands(this IResourceBuilder<ProjectResource> server) => server
        .WithServerCommand("pause", "Pause", PauseAsync, new CommandOptions
        {
            Description = "Refuses new tasks until it is resumed. Tasks that were accepted before continue.",
            IconName = "Pause",
        })
        .WithServerCommand("resume", "Resume", ResumeAsync, new CommandOptions { Description = "Accepts tasks again.", IconName = "Play" })
        .WithServerCommand("return-workers", "Return borrowed workers", ReturnAsync, new CommandOptions
        {
            Description = "Returns all borrowed workers to their owners, and waits until they have left.",
            IconName = "ArrowExit",
        });

    /// <summary>Adds a command that calls the server's API with the token of the mesh. It is enabled while the server runs.</summary>
    public static IResourceBuilder<ProjectResource> WithServerCommand(
        this IResourceBuilder<ProjectResource> server, string name, string title,
        Func<ServerApi, ExecuteCommandContext, Task<ExecuteCommandResult>> execute, CommandOptions options)
    {
        var token = server.GetMeshServer(nameof(server)).Token;
        options.UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
        return server.WithCommand(name, title, RunAsync, options);

        async Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context)
        {
            try
            {
                using var api = await ServerApi.ConnectAsync(server.GetEndpoint("http"), token, context.CancellationToken);
                return await execute(api, context);
            }
            catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
            {
                return CommandResults.Canceled();
            }
            catch (Exception fault) when (fault is HttpRequestException or ServerRefusedException or OperationCanceledException or JsonException)
            {
                return CommandResults.Failure($"{server.Resource.Name}: {fault.Message}");
            }
        }
    }

    private static async Task<ExecuteCommandResult> PauseAsync(ServerApi server, ExecuteCommandContext context)
    {
        var answer = await server.PostAsync("/pause", null, context.CancellationToken);
        return Success($"Paused. {answer["queue"]} tasks wait and {answer["running"]} run; they continue.", answer);
    }

    private static async Task<ExecuteCommandResult> ResumeAsync(ServerApi server, ExecuteCommandContext context)
    {
        var answer = await server.PostAsync("/resume", null, context.CancellationToken);
        return Success($"Resumed. {answer["queue"]} tasks wait and {answer["running"]} run.", answer);
    }

    private static async Task<ExecuteCommandResult> ReturnAsync(ServerApi server, ExecuteCommandContext context)
    {
        var answer = await server.PostAsync("/loans/return", null, context.CancellationToken);
        var leaving = Ids(answer["workers"]!.AsArray(), worker => (string)worker!);
        if (leaving.Length == 0)
        {
            return Success("No worker is borrowed.", answer);
        }

        using var timer = new PeriodicTimer(ReturnStep);
        var here = leaving;
        for (var waited = TimeSpan.Zero; waited < ReturnLimit && here.Length > 0; waited += ReturnStep)
        {
            await timer.WaitForNextTickAsync(context.CancellationToken);
            var status = await server.GetAsync("/status", context.CancellationToken);
            here = [.. leaving.Intersect(Ids(status["workers"]!.AsArray(), worker => (string)worker!["id"]!))];
        }

        return here.Length == 0
            ? Success($"Returned {string.Join(", ", leaving)}.", answer)
            : CommandResults.Failure($"Not returned within {ReturnLimit.TotalSeconds:0} s: {string.Join(", ", here)}. They leave when their tasks have ended.");
    }

    /// <summary>Returns a success. The dashboard shows the text; the command line shows the answer of the server.</summary>
    internal static ExecuteCommandResult Success(string text, JsonNode answer) => CommandResults.Success(text, answer.ToJsonString(), CommandResultFormat.Json);

    private static string[] Ids(JsonArray items, Func<JsonNode?, string> id) => [.. items.Select(id)];
}
