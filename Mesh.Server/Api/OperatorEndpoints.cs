using Mesh.Server.Core;
using Mesh.Server.Loop;

namespace Mesh.Server.Api;

/// <param name="Paused">True while the server accepts no new tasks.</param>
/// <param name="Queue">The number of waiting tasks.</param>
/// <param name="Running">The number of running tasks.</param>
internal sealed record PauseResponse(bool Paused, int Queue, int Running)
{
    public static PauseResponse Of(PauseStatus status) => new(status.Paused, status.Queue, status.Running);
}

/// <summary>The ids of the borrowed workers that are being returned.</summary>
internal sealed record ReturnResponse(IReadOnlyList<string> Workers);

/// <summary>The endpoints with which an operator controls a running server (docs/operations.md, "Operate it").</summary>
internal static class OperatorEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder app)
    {
        app.MapPost("/pause", async (CoreInputQueue inputs) => Answer(await inputs.CommandAsync((core, _) => core.OnPause())))
            .WithSummary("Take no new tasks until the server is resumed or restarted. Accepted tasks go on.")
            .Produces<PauseResponse>();
        app.MapPost("/resume", async (CoreInputQueue inputs) => Answer(await inputs.CommandAsync((core, _) => core.OnResume())))
            .WithSummary("Take new tasks again.")
            .Produces<PauseResponse>();
        app.MapPost("/loans/return", ReturnAsync)
            .WithSummary("Return all borrowed workers to their owners, and borrow none for a while.")
            .Produces<ReturnResponse>(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> ReturnAsync(HttpContext context, CoreInputQueue inputs, ServerReadiness state)
    {
        var workers = await inputs.CommandAsync((core, now) => core.OnReturnLoans(now));
        return workers is null
            ? Problems.StoreUnavailable(context, state.StoreFault)
            : Results.Json(new ReturnResponse([.. workers.Select(worker => worker.Value)]), ApiJson.Default.ReturnResponse, statusCode: StatusCodes.Status202Accepted);
    }

    private static IResult Answer(PauseStatus status) => Results.Json(PauseResponse.Of(status), ApiJson.Default.PauseResponse);
}
