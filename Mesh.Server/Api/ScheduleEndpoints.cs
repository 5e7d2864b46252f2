using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Api;

/// <summary>The endpoints that put, read and delete schedules (docs/protocol.md, "Schedules over HTTP").</summary>
internal static class ScheduleEndpoints
{
    /// <summary>The maximum size of the body of PUT /schedules/{name}, bytes. It has room for the largest payload with white space.</summary>
    public const int MaxBodyBytes = 256 * 1024;

    public static void MapSchedules(this IEndpointRouteBuilder app)
    {
        app.MapPut("/schedules/{name}", PutAsync)
            .Accepts<ScheduleRequest>("application/json")
            .WithSummary("Create a schedule, or replace it. A task is accepted at each of its times, once for the whole mesh.")
            .Produces<ScheduleResponse>()
            .Produces<ScheduleResponse>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        app.MapGet("/schedules", async (CoreInputQueue inputs, IOptions<MeshOptions> options) => Results.Json(
                (await inputs.QueryAsync(core => core.ListSchedules())).Select(status => ScheduleResponse.Of(status, options.Value.ServerId!)).ToArray(),
                ApiJson.Default.ScheduleResponseArray))
            .WithSummary("List the schedules of this server, and of servers that it has adopted, by name.")
            .Produces<ScheduleResponse[]>();
        app.MapGet("/schedules/{name}", FindAsync)
            .WithSummary("Find a schedule by its name.")
            .Produces<ScheduleResponse>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        app.MapDelete("/schedules/{name}", DeleteAsync)
            .WithSummary("Delete a schedule. Its accepted tasks go on.")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> PutAsync(string name, HttpContext context, CoreInputQueue inputs, IOptions<MeshOptions> options, TimeProvider time)
    {
        if (!ScheduleRecord.IsValidName(name))
        {
            return Problems.BadField("name", $"must be 1 to {ScheduleRecord.MaxNameLength} letters, digits, '.', '_' and '-', and not . or ..");
        }

        ScheduleRecord? schedule;
        try
        {
            if (await RequestBody.ReadAsync(context.Request, MaxBodyBytes, context.RequestAborted) is not { } read)
            {
                return TooLarge();
            }

            using var body = read;
            (schedule, var fault) = ScheduleBodyReader.Read(name, body.Json, new(time.GetUtcNow(), TraceParent: null, options.Value.Tasks.MaxPayloadBytes));
            if (fault is { } wrong)
            {
                return wrong.IsTooLarge ? Problems.TooLarge(wrong.Field, wrong.Detail) : Problems.BadField(wrong.Field, wrong.Detail);
            }
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        var change = new ScheduleChange(name, schedule);
        return await ChangeAsync(change, context, inputs) ?? Results.Json(
            ScheduleResponse.Of(change.Stored!, options.Value.ServerId!),
            ApiJson.Default.ScheduleResponse,
            statusCode: change.IsReplaced ? StatusCodes.Status200OK : StatusCodes.Status201Created);
    }

    private static async Task<IResult> FindAsync(string name, CoreInputQueue inputs, IOptions<MeshOptions> options) =>
        await inputs.QueryAsync(core => core.FindSchedule(name)) is { } status
            ? Results.Json(ScheduleResponse.Of(status, options.Value.ServerId!), ApiJson.Default.ScheduleResponse)
            : Problems.NotFound($"There is no schedule {name}.");

    private static async Task<IResult> DeleteAsync(string name, HttpContext context, CoreInputQueue inputs) =>
        await ChangeAsync(new ScheduleChange(name, record: null), context, inputs) ?? Results.NoContent();

    /// <summary>Submits a change. Returns the error, or null when the change is stored.</summary>
    private static async Task<IResult?> ChangeAsync(ScheduleChange change, HttpContext context, CoreInputQueue inputs)
    {
        var outcome = await inputs.SubmitAsync(new PendingSubmission([], isDeadLetterRetry: false) { Schedule = change });
        return outcome switch
        {
            SubmitOutcome.Accepted => null,
            SubmitOutcome.NoSchedule => Problems.NotFound($"There is no schedule {change.Name}."),
            SubmitOutcome.Unknown => Problems.ChangeUnknown(context),
            _ => Problems.Of(outcome, context),
        };
    }

    private static IResult TooLarge() => Problems.TooLarge("body", $"must not be larger than {MaxBodyBytes} bytes");
}
