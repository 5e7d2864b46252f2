using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Api;

/// <summary>The number of dead letters that a request retried or deleted.</summary>
internal sealed record CountResponse(int Count);

/// <summary>The endpoints that list, retry and delete dead letters, all or those of one type (docs/protocol.md, "Dead letters").</summary>
internal static class DeadLetterEndpoints
{
    public const string State = "dead";

    private const string Parameters = "state must be dead. type limits the request to one task type.";

    /// <summary>The number of dead letters in one write. Other work of the loop and of Redis takes place between two of them.</summary>
    private const int WriteSize = 200;

    public static void MapDeadLetters(this IEndpointRouteBuilder app)
    {
        app.MapPost("/tasks/retry", RetryAsync)
            .WithSummary("Put all dead letters, or those of one type, back into the queue.")
            .WithDescription($"{Parameters} A request that ends early has retried a part, whose number is the problem's count; repeat it to continue.")
            .Produces<CountResponse>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        app.MapDelete("/tasks", DeleteAsync)
            .WithSummary("Delete all dead letters, or those of one type.")
            .WithDescription($"{Parameters} A request that ends early has deleted a part, whose number is the problem's count; repeat it to continue.")
            .Produces<CountResponse>()
            .ProducesProblem(StatusCodes.Status400BadRequest);
    }

    /// <summary>Returns a page of dead letters. The header Link names the next page.</summary>
    public static async Task<IResult> ListAsync(string? type, string? after, int limit, HttpContext context, IMeshStore store)
    {
        DeadLetterCursor? cursor = null;
        if (after is not null && !DeadLetterCursor.TryParse(after, out cursor))
        {
            return Problems.BadField("after", "must be the cursor of a Link header");
        }

        if (!TryParseType(type, out var only))
        {
            return WrongType();
        }

        var page = await store.ReadDeadAsync(new(cursor, only, limit), context.RequestAborted);
        if (page.Next is { } next)
        {
            var filter = type is null ? "" : $"&type={type}";
            context.Response.Headers.Link = string.Create(CultureInfo.InvariantCulture, $"</tasks?state={State}{filter}&limit={limit}&after={next}>; rel=\"next\"");
        }

        return TaskEndpoints.Ok(page.Tasks);
    }

    /// <summary>Returns a dead letter as a new task under its id.</summary>
    public static TaskRecord Revive(TaskRecord dead, DateTimeOffset now) => dead with
    {
        WireId = new TaskId(Guid.CreateVersion7(now).ToString("N")),
        State = TaskState.Queued,
        Attempts = 0,
        Error = null,
        Worker = null,
    };

    private static Task<IResult> RetryAsync(
        string? state, string? type, HttpContext context, CoreInputQueue inputs, IMeshStore store, TimeProvider time, IOptions<MeshOptions> options) => ForAllAsync(
            state,
            type,
            Math.Min(WriteSize, options.Value.Tasks.Capacity),
            dead => new PendingSubmission([.. dead.Select(task => Revive(task, time.GetUtcNow()))], isDeadLetterRetry: true),
            StatusCodes.Status202Accepted,
            context,
            inputs,
            store);

    private static Task<IResult> DeleteAsync(string? state, string? type, HttpContext context, CoreInputQueue inputs, IMeshStore store) => ForAllAsync(
        state,
        type,
        WriteSize,
        dead => new PendingSubmission(dead, isDeadLetterRetry: false) { IsDeadLetterDeletion = true },
        StatusCodes.Status200OK,
        context,
        inputs,
        store);

    /// <summary>Changes all dead letters that exist when the request begins, page by page.</summary>
    private static async Task<IResult> ForAllAsync(
        string? state, string? type, int limit, Func<IReadOnlyList<TaskRecord>, PendingSubmission> change, int status, HttpContext context, CoreInputQueue inputs, IMeshStore store)
    {
        if (state != State)
        {
            return Problems.BadField("state", $"must be {State}");
        }

        if (!TryParseType(type, out var only))
        {
            return WrongType();
        }

        // A retried task can become a dead letter again. It is then behind those that exist now.
        var left = await store.CountDeadAsync(context.RequestAborted);
        var count = 0;
        DeadLetterCursor? after = null;
        do
        {
            var page = await store.ReadDeadAsync(new(after, only, limit), context.RequestAborted);
            if (page.Tasks.Count > 0)
            {
                var submission = change(page.Tasks);
                var outcome = await inputs.SubmitAsync(submission);
                count += submission.Count;
                if (outcome is not (SubmitOutcome.Accepted or SubmitOutcome.NotDead))
                {
                    return Problems.Partial(outcome == SubmitOutcome.TooMany ? SubmitOutcome.Full : outcome, count, context);
                }
            }

            left -= page.Examined;
            after = page.Next;
        }
        while (after is not null && left > 0);

        return Results.Json(new CountResponse(count), ApiJson.Default.CountResponse, statusCode: status);
    }

    private static bool TryParseType(string? text, out TaskType? type)
    {
        type = text is null ? null : TaskType.Parse(text);
        return text is null || type is not null;
    }

    private static IResult WrongType() => Problems.BadField(
        "type", $"must be a letter followed by up to {TaskType.MaxLength - 1} letters, digits, '.', '_' and '-', and none of the words that TASK has in other messages");
}
