using System.Text.Json;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Mesh.Server.Api;

/// <summary>Creates the error responses of the HTTP API as problem details (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>The Retry-After of a full queue, seconds.</summary>
    private const string RetryAfterFull = "1";

    /// <summary>The Retry-After of an unavailable store and of a server that starts or stops, seconds.</summary>
    private const string RetryAfterUnavailable = "2";

    /// <summary>The Retry-After of a store that is not durable, seconds. Somebody has to change the settings of Redis.</summary>
    private const string RetryAfterNotDurable = "10";

    /// <summary>The Retry-After of a paused server, seconds. Somebody has to resume it.</summary>
    private const string RetryAfterPaused = "10";

    /// <summary>
    /// The member of a problem that is false when it is certain that nothing of the request was accepted. A client may then send it to another server. A 503 without this member
    /// leaves the outcome unknown (docs/protocol.md, "Tasks over HTTP").
    /// </summary>
    private const string Accepted = "accepted";

    /// <summary>
    /// The options of the exception handler. An incomplete, slow or malformed request body is an error of the client, so the response has the exception's status
    /// and no error is logged.
    /// </summary>
    public static ExceptionHandlerOptions OfExceptions { get; } = new()
    {
        StatusCodeSelector = exception => exception is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError,
        SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException,
    };

    public static IResult BadField(string field, string detail) => Results.Problem(
        $"{field} {detail}.",
        statusCode: StatusCodes.Status400BadRequest,
        title: "The request is not valid.",
        extensions: new Dictionary<string, object?> { ["field"] = field });

    public static IResult TooLarge(string field, string detail) => Results.Problem(
        $"{field} {detail}.",
        statusCode: StatusCodes.Status413PayloadTooLarge,
        title: "The request is too large.",
        extensions: new Dictionary<string, object?> { ["field"] = field });

    public static IResult NotFound(string what) => Results.Problem(what, statusCode: StatusCodes.Status404NotFound, title: "Not found.");

    /// <param name="task">The submitted task.</param>
    /// <param name="conflict">The fields that differ from the existing task with the same id.</param>
    /// <param name="isBatch">True when the request's body is an array.</param>
    public static IResult Conflict(TaskRecord task, TaskConflict conflict, bool isBatch)
    {
        string[] fields = [.. NamesOf(conflict.Fields).Select(name => isBatch ? $"[{conflict.Index}].{name}" : name)];
        return Results.Problem(
            $"{string.Join(" and ", fields)} {(fields.Length == 1 ? "differs" : "differ")} from the task that has the id {task.Id}. Nothing was accepted.",
            statusCode: StatusCodes.Status409Conflict,
            title: "The id belongs to another task.",
            extensions: new Dictionary<string, object?> { ["field"] = fields[0], ["fields"] = fields });
    }

    public static IResult NotDead(string id) =>
        Results.Problem($"Task {id} is not a dead letter.", statusCode: StatusCodes.Status409Conflict, title: "Nothing to retry.");

    public static IResult NotCancellable(string id) =>
        Results.Problem($"Task {id} is done.", statusCode: StatusCodes.Status409Conflict, title: "Nothing to cancel.");

    /// <summary>The error of a request to cancel with an unknown outcome. Repeating the request is harmless.</summary>
    public static IResult CancelUnknown(HttpContext context) => ServiceUnavailable(context, "It is unknown whether the task is cancelled. Repeat the request.");

    public static IResult Of(SubmitOutcome outcome, HttpContext context)
    {
        switch (outcome)
        {
            case SubmitOutcome.Full:
                context.Response.Headers.RetryAfter = RetryAfterFull;
                return Results.Problem(
                    "This server has reached its limit of unsettled tasks (Mesh__Tasks__Capacity).",
                    statusCode: StatusCodes.Status429TooManyRequests,
                    title: "The queue is full.",
                    extensions: NothingAccepted());
            case SubmitOutcome.TooMany:
                return TooLarge("body", "must not contain more tasks than this server's limit of unsettled tasks (Mesh__Tasks__Capacity)");
            case SubmitOutcome.StoreUnavailable:
                return StoreUnavailable(context, context.RequestServices.GetRequiredService<ServerReadiness>().StoreFault, NothingAccepted());
            case SubmitOutcome.StoreNotDurable:
                return ServiceUnavailable(
                    context,
                    $"The store is not durable. {context.RequestServices.GetRequiredService<ServerReadiness>().DurabilityRisk} Nothing was accepted. "
                    + "Set maxmemory-policy to noeviction, or accept the loss with Mesh__Store__AllowEviction.",
                    RetryAfterNotDurable,
                    NothingAccepted());
            case SubmitOutcome.Unknown:
                var state = context.RequestServices.GetRequiredService<ServerReadiness>();
                return ServiceUnavailable(
                    context,
                    $"{(state.Phase == LoopPhase.Ended ? "This server is stopping." : $"The store is unavailable. {state.StoreFault}")} It is unknown whether the tasks are stored. "
                    + "Repeat the request: a task with an id is accepted once; a task without an id may run twice.");
            case SubmitOutcome.Stopping:
                return Stopping(context, NothingAccepted());
            case SubmitOutcome.Paused:
                return ServiceUnavailable(context, "This server is paused. It accepts no new tasks until POST /resume.", RetryAfterPaused, NothingAccepted());
            case SubmitOutcome.NotDead:
                return Results.Problem("The task is no longer a dead letter.", statusCode: StatusCodes.Status409Conflict, title: "Nothing to retry.");
            case SubmitOutcome.TooManySchedules:
                return Results.Problem(
                    "This server has reached its limit of schedules (Mesh__Tasks__MaxSchedules).", statusCode: StatusCodes.Status429TooManyRequests, title: "Too many schedules.");
            case SubmitOutcome.NoSchedule:
                return NotFound("There is no such schedule.");
            case SubmitOutcome.Accepted or SubmitOutcome.Conflict:
            default:
                throw new InvalidOperationException($"{outcome} is not an error.");
        }
    }

    /// <summary>The error of a request that has changed some dead letters and then ended. The problem has their number.</summary>
    public static IResult Partial(SubmitOutcome outcome, int count, HttpContext context)
    {
        var problem = Of(outcome, context);
        if (problem is ProblemHttpResult { ProblemDetails: var details })
        {
            details.Extensions["count"] = count;
            _ = count > 0 && details.Extensions.Remove(Accepted);
        }

        return problem;
    }

    /// <param name="reason">A sentence with the cause, or null while the cause is unknown.</param>
    /// <param name="extensions">Further members of the problem.</param>
    public static IResult StoreUnavailable(HttpContext context, string? reason, Dictionary<string, object?>? extensions = null) =>
        ServiceUnavailable(context, $"The store is unavailable. {reason} Nothing was accepted. Try again later.", extensions: extensions);

    /// <summary>The error when the write of a schedule failed, or the server stopped during the write.</summary>
    public static IResult ChangeUnknown(HttpContext context) => ServiceUnavailable(
        context, "The store is unavailable or this server is stopping. It is unknown whether the schedule is changed. Repeat the request.");

    public static IResult TooManyWaits(HttpContext context, string detail)
    {
        context.Response.Headers.RetryAfter = RetryAfterFull;
        return Results.Problem(detail, statusCode: StatusCodes.Status429TooManyRequests, title: "Too many requests wait.");
    }

    /// <param name="extensions">Further members of the problem.</param>
    public static IResult Stopping(HttpContext context, Dictionary<string, object?>? extensions = null) =>
        ServiceUnavailable(context, "This server is stopping.", extensions: extensions);

    /// <summary>The error while the core's loop does not run: the server is starting or stopping. The request was not processed.</summary>
    public static IResult NotReady(HttpContext context, ServerReadiness state) => state.Phase == LoopPhase.Starting
        ? ServiceUnavailable(context, $"This server is starting: it waits for {state.WaitingFor}.", extensions: NothingAccepted())
        : Stopping(context, NothingAccepted());

    private static IEnumerable<string> NamesOf(TaskFields fields) => Enum.GetValues<TaskFields>()
        .Where(field => field != TaskFields.None && fields.HasFlag(field))
        .Select(field => JsonNamingPolicy.CamelCase.ConvertName(field.ToString()));

    private static Dictionary<string, object?> NothingAccepted() => new() { [Accepted] = false };

    private static IResult ServiceUnavailable(
        HttpContext context, string detail, string retryAfter = RetryAfterUnavailable, Dictionary<string, object?>? extensions = null)
    {
        context.Response.Headers.RetryAfter = retryAfter;
        return Results.Problem(detail, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not available now.", extensions: extensions);
    }
}
