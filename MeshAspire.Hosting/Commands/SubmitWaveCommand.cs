#pragma warning disable ASPIREINTERACTION001 // InteractionInput is experimental.

using System.Globalization;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Hosting.Commands;

/// <summary>The command that submits a number of tasks of one type, with the arguments of its dialog.</summary>
internal static class SubmitWaveCommand
{
    private const int Most = 10_000;

    /// <summary>The number of tasks in one request. The body stays well below the limit of a server.</summary>
    private const int BatchSize = 1_000;

    public static IReadOnlyList<InteractionInput> Arguments { get; } =
    [
        new() { Name = "tasks", Label = "Tasks", InputType = InputType.Number, Required = true, Value = "200", Description = $"The number of tasks, from 1 to {Most}." },
        new() { Name = "type", Label = "Type", InputType = InputType.Choice, Required = true, Value = "QUERY", Options = [new("QUERY", "QUERY"), new("UPDATE", "UPDATE")] },
        new() { Name = "user", Label = "User", InputType = InputType.Text, Required = true, Value = "Maria", Description = "The owner of the account." },
        new() { Name = "amount", Label = "Amount", InputType = InputType.Number, Value = "1", Description = "The amount that each UPDATE adds to the balance." },
    ];

    public static Task ValidateAsync(InputsDialogValidationContext context)
    {
        if (!int.TryParse(context.Inputs["tasks"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var tasks) || tasks is < 1 or > Most)
        {
            context.AddValidationError(context.Inputs["tasks"], $"Tasks must be a whole number from 1 to {Most}.");
        }

        if (context.Inputs["type"].Value is not ("QUERY" or "UPDATE"))
        {
            context.AddValidationError(context.Inputs["type"], "Type must be QUERY or UPDATE.");
        }

        if (string.IsNullOrWhiteSpace(context.Inputs["user"].Value))
        {
            context.AddValidationError(context.Inputs["user"], "User must not be empty.");
        }

        if (context.Inputs["type"].Value == "UPDATE" && !decimal.TryParse(context.Inputs["amount"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
        {
            context.AddValidationError(context.Inputs["amount"], "Amount must be a number such as 12.5.");
        }

        return Task.CompletedTask;
    }

    public static async Task<ExecuteCommandResult> SubmitAsync(ServerApi server, ExecuteCommandContext context)
    {
        var (count, type, user) = (context.Arguments.GetInt32("tasks"), context.Arguments.GetString("type"), context.Arguments.GetString("user"));
        object task = type == "UPDATE"
            ? new { type, user, amount = decimal.Parse(context.Arguments.GetString("amount")!, NumberStyles.Float, CultureInfo.InvariantCulture) }
            : new { type, user };
        var accepted = 0;
        try
        {
            while (accepted < count)
            {
                var batch = Math.Min(BatchSize, count - accepted);
                await server.PostAsync("/tasks", Enumerable.Repeat(task, batch), context.CancellationToken);
                accepted += batch;
            }
        }
        catch (ServerRefusedException refused) when (accepted > 0)
        {
            return CommandResults.Failure($"{accepted} of {count} {type} tasks were accepted, then: {refused.Message}");
        }

        return ServerCommands.Success($"{accepted} {type} tasks were accepted.", new JsonObject { ["accepted"] = accepted, ["type"] = type });
    }
}
