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

    /// <summary>The number of dead letters in one write.</summary>
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
    /// <param name="wireId">The TASK_ID of the new task.</param>
    public static TaskRecord Revive(TaskRecord dead, TaskId wireId) => dead with
    {
        WireId = wireId,
        State = TaskState.Queued,
        Attempts = 0,
        Error = null,
        Worker = null,
    };

    /// <summary>Returns the TASK_ID of a new task.</summary>
    public static TaskId NewId(TimeProvider time) => new(Guid.CreateVersion7(time.GetUtcNow()).ToString("N"));

    private static Task<IResult> RetryAsync(
        string? state, string? type, HttpContext context, CoreInputQueue inputs, IMeshStore store, TimeProvider time, IOptions<MeshOptions> options) => ForAllAsync(
            state,
            type,
            only => new DeadLetterBulkChange(store, inputs.SubmitAsync, Math.Min(WriteSize, options.Value.Tasks.Capacity))
                .RetryAsync(only, dead => Revive(dead, NewId(time)), context.RequestAborted),
            StatusCodes.Status202Accepted,
            context);

    private static Task<IResult> DeleteAsync(string? state, string? type, HttpContext context, CoreInputQueue inputs, IMeshStore store) => ForAllAsync(
        state,
        type,
        only => new DeadLetterBulkChange(store, inputs.SubmitAsync, WriteSize).DeleteAsync(only, context.RequestAborted),
        StatusCodes.Status200OK,
        context);

    private static async Task<IResult> ForAllAsync(string? state, string? type, Func<TaskType?, Task<BulkChangeResult>> change, int status, HttpContext context)
    {
        if (state != State)
        {
            return Problems.BadField("state", $"must be {State}");
        }

        if (!TryParseType(type, out var only))
        {
            return WrongType();
        }

        var (count, endedBy) = await change(only);
        return endedBy is { } outcome
            ? Problems.Partial(outcome == SubmitOutcome.TooMany ? SubmitOutcome.Full : outcome, count, context)
            : Results.Json(new CountResponse(count), ApiJson.Default.CountResponse, statusCode: status);
    }

    private static bool TryParseType(string? text, out TaskType? type)
    {
        type = text is null ? null : TaskType.Parse(text);
        return text is null || type is not null;
    }

    private static IResult WrongType() => Problems.BadField(
        "type", $"must be a letter followed by up to {TaskType.MaxLength - 1} letters, digits, '.', '_' and '-', and none of the words that TASK has in other messages");
}
