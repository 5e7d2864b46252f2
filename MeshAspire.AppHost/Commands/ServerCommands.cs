using System.Text.Json;
using System.Text.Json.Nodes;

/// <summary>The commands of a server in the dashboard and in <c>aspire resource server-a …</c>. Each command returns its result as text.</summary>
internal static class ServerCommands
{
    private static readonly TimeSpan ReturnLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReturnStep = TimeSpan.FromMilliseconds(250);

    public static IResourceBuilder<ProjectResource> WithMeshCommands(this IResourceBuilder<ProjectResource> server, IResourceBuilder<ParameterResource> token) => server
        .WithMeshCommand(token, "submit-wave", "Submit a wave of tasks", SubmitWaveCommand.SubmitAsync, new CommandOptions
        {
            Description = "Submits a number of tasks of one type.",
            IconName = "Send",
            IsHighlighted = true,
            Arguments = SubmitWaveCommand.Arguments,
            ValidateArguments = SubmitWaveCommand.ValidateAsync,
        })
        .WithMeshCommand(token, "pause", "Pause", PauseAsync, new CommandOptions
        {
            Description = "Refuses new tasks until it is resumed. Tasks that were accepted before continue.",
            IconName = "Pause",
        })
        .WithMeshCommand(token, "resume", "Resume", ResumeAsync, new CommandOptions { Description = "Accepts tasks again.", IconName = "Play" })
        .WithMeshCommand(token, "return-workers", "Return borrowed workers", ReturnAsync, new CommandOptions
        {
            Description = "Returns all borrowed workers to their owners, and waits until they have left.",
            IconName = "ArrowExit",
        });

    private static IResourceBuilder<ProjectResource> WithMeshCommand(
        this IResourceBuilder<ProjectResource> server, IResourceBuilder<ParameterResource> token, string name, string title,
        Func<ServerApi, ExecuteCommandContext, Task<ExecuteCommandResult>> execute, CommandOptions options)
    {
        options.UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
        return server.WithCommand(name, title, RunAsync, options);

        async Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context)
        {
            try
            {
                using var api = await ServerApi.ConnectAsync(server.GetEndpoint("http"), token.Resource, context.CancellationToken);
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
