using System.Diagnostics;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Server.Telemetry;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Api;

/// <summary>The endpoints that submit, find, list and retry tasks.</summary>
internal static class TaskEndpoints
{
    /// <summary>The maximum size of the body of POST /tasks, bytes. It has room for about 40,000 tasks.</summary>
    public const int MaxBodyBytes = 4 * 1024 * 1024;

    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    /// <summary>The number of ids that are looked up in the store at the same time.</summary>
    private const int LookupsAtATime = 256;

    public static void MapTasks(this IEndpointRouteBuilder app)
    {
        app.MapPost("/tasks", SubmitAsync)
            .AcceptsOneOrMany<TaskRequest>()
            .WithSummary("Submit one task or an array of tasks; together they are accepted or not.")
            .WithDescription("A 503 or 429 whose problem has accepted: false has certainly accepted nothing. After a 503 without it the outcome is unknown: submit the tasks again, with the "
                + "same ids and to the same server.")
            .Produces<AcceptedResponse>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        app.MapGet("/tasks/{id}", FindAsync)
            .WithSummary("Find a task by its id; with wait, answer when it is settled, or after so many seconds with its present state.")
            .WithWaitParameter()
            .Produces<TaskResponse>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
        app.MapTaskCancel();
        app.MapGet("/tasks", ListAsync)
            .WithSummary("List tasks by state: dead or running, oldest first; queued, in the order of the queue, whatever their priority; scheduled, earliest first.")
            .WithDescription("limit is 1 to 1000, default 100. Dead letters come by page: the header Link names the next page (rel=\"next\"), whose parameter after is its cursor. A page can "
                + "have fewer tasks than the limit, or none; it is the last one when there is no Link. type lists the dead letters of one type.")
            .Produces<TaskResponse[]>()
            .ProducesProblem(StatusCodes.Status400BadRequest);
        app.MapPost("/tasks/{id}/retry", RetryAsync)
            .WithSummary("Put a dead letter back into the queue.")
            .Produces<AcceptedResponse>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> SubmitAsync(HttpContext context, CoreInputQueue inputs, IMeshStore store, IOptions<MeshOptions> options, TimeProvider time)
    {
        List<TaskRecord> tasks;
        bool isBatch;
        try
        {
            if (await RequestBody.ReadAsync(context.Request, MaxBodyBytes, context.RequestAborted) is not { } read)
            {
                return TooLarge();
            }

            using var body = read;
            (tasks, isBatch, var fault) = TaskBodyReader.Read(body.Json, new(time.GetUtcNow(), Activity.Current?.Id, options.Value.Tasks.MaxPayloadBytes));
            if (fault is { } wrong)
            {
                return wrong.IsTooLarge ? Problems.TooLarge(wrong.Field, wrong.Detail) : Problems.BadField(wrong.Field, wrong.Detail);
            }
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        var spans = TaskSpans.StartSubmits(tasks);
        var submission = new PendingSubmission(tasks, isDeadLetterRetry: false) { Settled = await FindAdoptedAsync(tasks, inputs, store, context.RequestAborted) };
        var outcome = await inputs.SubmitAsync(submission);
        TaskSpans.End(spans, outcome);
        return outcome == SubmitOutcome.Accepted ? Accepted(tasks)
            : submission.Conflict is { } conflict ? Problems.Conflict(tasks[conflict.Index], conflict, isBatch)
            : Problems.Of(outcome, context);
    }

    /// <summary>
    /// Finds tasks of adopted servers that have the same ids as the submitted tasks. The core is asked before the store, because a task that is settled between
    /// the two lookups is found in the store.
    /// </summary>
    /// <returns>The tasks by id, or null when no lookup is necessary.</returns>
    private static async Task<IReadOnlyDictionary<string, TaskRecord>?> FindAdoptedAsync(
        List<TaskRecord> tasks, CoreInputQueue inputs, IMeshStore store, CancellationToken cancellationToken)
    {
        if (!store.HasAdopted || !tasks.Exists(task => task.Keyed))
        {
            return null;
        }

        var found = await inputs.QueryAsync(core => core.FindAdopted(tasks));
        foreach (var some in tasks.Where(task => task.Keyed && !found.ContainsKey(task.Id)).Chunk(LookupsAtATime))
        {
            foreach (var settled in await Task.WhenAll(some.Select(task => store.FindSettledAsync(task.Id, cancellationToken))))
            {
                if (settled is not null)
                {
                    found[settled.Id] = settled;
                }
            }
        }

        return found;
    }

    private static async Task<IResult> FindAsync(string id, string? wait, HttpContext context, TaskWaitReader tasks, CancellationToken cancellationToken)
    {
        if (!TaskWaitReader.TryReadWait(wait, out var time))
        {
            return Problems.BadField("wait", $"must be a whole number of seconds from 0 to {TaskWaitReader.MaxWait}");
        }

        try
        {
            return await tasks.FindAsync(id, time, cancellationToken) is { } task ? Ok(task) : Problems.NotFound($"There is no task {id}.");
        }
        catch (TooManyWaitsException exception)
        {
            return Problems.TooManyWaits(context, exception.Message);
        }
    }

    private static async Task<IResult> ListAsync(string? state, string? type, string? after, int? limit, HttpContext context, CoreInputQueue inputs, IMeshStore store)
    {
        if (limit is < 1 or > MaxLimit)
        {
            return Problems.BadField("limit", $"must lie between 1 and {MaxLimit}");
        }

        var most = limit ?? DefaultLimit;
        if (state != DeadLetterEndpoints.State && (type ?? after) is not null)
        {
            return Problems.BadField(type is null ? "after" : "type", "is used with the state dead only");
        }

        switch (state)
        {
            case DeadLetterEndpoints.State:
                return await DeadLetterEndpoints.ListAsync(type, after, most, context, store);
            case "queued":
                return Ok(await inputs.QueryAsync(core => core.ListTasks(TaskState.Queued, most).ToList()));
            case "running":
                return Ok(await inputs.QueryAsync(core => core.ListTasks(TaskState.Running, most).ToList()));
            case "scheduled":
                return Ok(await inputs.QueryAsync(core => core.ListTasks(TaskState.Scheduled, most).ToList()));
            default:
                return Problems.BadField("state", "must be dead, queued, running or scheduled");
        }
    }

    private static async Task<IResult> RetryAsync(
        string id, HttpContext context, CoreInputQueue inputs, IMeshStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await inputs.QueryAsync(core => core.FindTask(id)) is not null)
        {
            return Problems.NotDead(id);
        }

        if (await store.FindSettledAsync(id, cancellationToken) is not { } settled)
        {
            return Problems.NotFound($"There is no task {id}.");
        }

        if (settled.State != TaskState.Dead)
        {
            return Problems.NotDead(id);
        }

        var again = DeadLetterEndpoints.Revive(settled, DeadLetterEndpoints.NewId(time));
        var outcome = await inputs.SubmitAsync([again], isDeadLetterRetry: true);
        return outcome == SubmitOutcome.Accepted ? Accepted([again]) : Problems.Of(outcome, context);
    }

    private static IResult TooLarge() => Problems.TooLarge("body", $"must not be larger than {MaxBodyBytes} bytes");

    private static IResult Accepted(List<TaskRecord> tasks) =>
        Results.Json(new AcceptedResponse(tasks.ConvertAll(task => task.Id)), ApiJson.Default.AcceptedResponse, statusCode: StatusCodes.Status202Accepted);

    private static IResult Ok(TaskRecord task) => Results.Json(TaskResponse.Of(task), ApiJson.Default.TaskResponse);

    public static IResult Ok(IEnumerable<TaskRecord> tasks) => Results.Json(tasks.Select(TaskResponse.Of).ToArray(), ApiJson.Default.TaskResponseArray);
}
