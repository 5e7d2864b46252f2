using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;

namespace Mesh.Server.Api;

/// <summary>The endpoint that cancels a task or deletes a dead letter.</summary>
internal static class TaskCancelEndpoint
{
    /// <summary>The number of times that a task is looked up. It can change its state between the core and the store, for example when it is settled.</summary>
    private const int MaxLookups = 3;

    public static void MapTaskCancel(this IEndpointRouteBuilder app) => app.MapDelete("/tasks/{id}", CancelAsync)
        .WithSummary("Cancel a task: 204 when it waited, 202 when it runs and its worker is told. Deletes a dead letter: 204.")
        .Produces(StatusCodes.Status202Accepted)
        .Produces(StatusCodes.Status204NoContent)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict);

    private static async Task<IResult> CancelAsync(string id, HttpContext context, CoreInputQueue inputs, IMeshStore store, CancellationToken cancellationToken)
    {
        TaskRecord? deadLetter = null;
        for (var lookup = 0; lookup < MaxLookups; lookup++)
        {
            switch (await inputs.CancelAsync(new PendingCancel(id) { DeadLetter = deadLetter }))
            {
                case CancelOutcome.Cancelled:
                    return Results.NoContent();
                case CancelOutcome.Requested:
                    return Results.StatusCode(StatusCodes.Status202Accepted);
                case CancelOutcome.StoreUnavailable:
                    return Problems.StoreUnavailable(context, context.RequestServices.GetRequiredService<ServerReadiness>().StoreFault);
                case CancelOutcome.Stopping:
                    return Problems.Stopping(context);
                case CancelOutcome.Unknown:
                    return Problems.CancelUnknown(context);
                case CancelOutcome.NotUnsettled:
                    break;
                default:
                    throw new InvalidOperationException("Unknown outcome of a request to cancel.");
            }

            var settled = await store.FindSettledAsync(id, cancellationToken);
            switch (settled?.State)
            {
                case null:
                    return Problems.NotFound($"There is no task {id}.");
                case TaskState.Cancelled:
                    return Results.NoContent();
                case TaskState.Done:
                    return Problems.NotCancellable(id);
                case TaskState.Dead:
                    deadLetter = settled;
                    break;
                default:
                    throw new InvalidOperationException($"A settled task has the state {settled!.State}.");
            }
        }

        return Problems.CancelUnknown(context);
    }
}
