using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;

namespace Mesh.Server.Api;

/// <summary>The errors of the HTTP API, as problem details (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>Seconds after which a full queue may have room.</summary>
    private const string RetryAfterFull = "1";

    /// <summary>Seconds after which a store may be back.</summary>
    private const string RetryAfterUnavailable = "2";

    /// <summary>Seconds after which somebody may have changed the settings of Redis.</summary>
    private const string RetryAfterNotDurable = "10";

    /// <summary>Seconds after which somebody may have resumed the server.</summary>
    private const string RetryAfterPaused = "10";

    /// <summary>A body that breaks off, comes too slowly or is no HTTP is the client's fault: its status says so, and no error is logged.</summary>
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
    /// <param name="conflict">What differs from the task that has its id.</param>
    /// <param name="isBatch">True for a body that is an array.</param>
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
        Results.Problem($"Task {id} is no dead letter.", statusCode: StatusCodes.Status409Conflict, title: "Nothing to retry.");

    public static IResult Of(SubmitOutcome outcome, HttpContext context)
    {
        switch (outcome)
        {
            case SubmitOutcome.Full:
                context.Response.Headers.RetryAfter = RetryAfterFull;
                return Results.Problem(
                    "There are as many unsettled tasks as this server takes (Mesh__Tasks__Capacity).",
                    statusCode: StatusCodes.Status429TooManyRequests,
                    title: "The queue is full.");
            case SubmitOutcome.TooMany:
                return TooLarge("body", "must not hold more tasks than this server takes at a time (Mesh__Tasks__Capacity)");
            case SubmitOutcome.StoreUnavailable:
                return StoreUnavailable(context, context.RequestServices.GetRequiredService<ServerReadiness>().StoreFault);
            case SubmitOutcome.StoreNotDurable:
                return ServiceUnavailable(
                    context,
                    $"The store is not safe. {context.RequestServices.GetRequiredService<ServerReadiness>().DurabilityRisk} Nothing was accepted. "
                    + "Set maxmemory-policy to noeviction, or accept the loss with Mesh__Store__AllowEviction.",
                    RetryAfterNotDurable);
            case SubmitOutcome.Unknown:
                var state = context.RequestServices.GetRequiredService<ServerReadiness>();
                return ServiceUnavailable(
                    context,
                    $"{(state.Phase == LoopPhase.Ended ? "This server is stopping." : $"The store is away. {state.StoreFault}")} It is not known whether the tasks are stored. "
                    + "Repeat the request: a task with an id is accepted once; one without an id may run twice.");
            case SubmitOutcome.Stopping:
                return Stopping(context);
            case SubmitOutcome.Paused:
                return ServiceUnavailable(context, "This server is paused and takes no new tasks until POST /resume.", RetryAfterPaused);
            case SubmitOutcome.NotDead:
                return Results.Problem("The task is no dead letter any more.", statusCode: StatusCodes.Status409Conflict, title: "Nothing to retry.");
            case SubmitOutcome.Accepted or SubmitOutcome.Conflict:
            default:
                throw new InvalidOperationException($"{outcome} is no problem.");
        }
    }

    /// <param name="reason">Why, in words; null while it is being found out.</param>
    public static IResult StoreUnavailable(HttpContext context, string? reason) => ServiceUnavailable(context, $"The store is away. {reason} Nothing was accepted; try again later.");

    public static IResult Stopping(HttpContext context) => ServiceUnavailable(context, "This server is stopping.");

    /// <summary>There is no core to answer.</summary>
    public static IResult NotReady(HttpContext context, ServerReadiness state) =>
        state.Phase == LoopPhase.Starting ? ServiceUnavailable(context, $"This server is starting: it waits for {state.WaitingFor}.") : Stopping(context);

    private static IEnumerable<string> NamesOf(TaskFields fields)
    {
        if (fields.HasFlag(TaskFields.Type))
        {
            yield return "type";
        }

        if (fields.HasFlag(TaskFields.User))
        {
            yield return "user";
        }

        if (fields.HasFlag(TaskFields.Amount))
        {
            yield return "amount";
        }
    }

    private static IResult ServiceUnavailable(HttpContext context, string detail, string retryAfter = RetryAfterUnavailable)
    {
        context.Response.Headers.RetryAfter = retryAfter;
        return Results.Problem(detail, statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not available now.");
    }
}
