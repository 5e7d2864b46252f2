using Mesh.Server.Core;
using Mesh.Server.Hosting;

namespace Mesh.Server.Api;

/// <param name="Paused">True while the server takes no new tasks.</param>
/// <param name="Queue">Tasks that wait.</param>
/// <param name="Running">Tasks that run.</param>
internal sealed record PauseAnswer(bool Paused, int Queue, int Running)
{
    public static PauseAnswer Of(PauseStatus status) => new(status.Paused, status.Queue, status.Running);
}

/// <summary>The ids of the borrowed workers that are being returned.</summary>
internal sealed record ReturnAnswer(IReadOnlyList<string> Workers);

/// <summary>What an operator does with a running server (docs/operations.md, "Operate it").</summary>
internal static class OperatorEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder app)
    {
        app.MapPost("/pause", async (MeshInbox inbox) => Answer(await inbox.CommandAsync((core, _) => core.OnPause())))
            .WithSummary("Take no new tasks until the server is resumed or restarted. Accepted tasks go on.")
            .Produces<PauseAnswer>();
        app.MapPost("/resume", async (MeshInbox inbox) => Answer(await inbox.CommandAsync((core, _) => core.OnResume())))
            .WithSummary("Take new tasks again.")
            .Produces<PauseAnswer>();
        app.MapPost("/loans/return", ReturnAsync)
            .WithSummary("Return all borrowed workers to their owners, and borrow none for a while.")
            .Produces<ReturnAnswer>(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> ReturnAsync(HttpContext context, MeshInbox inbox, LoopState state)
    {
        switch (await inbox.CommandAsync((core, now) => core.OnReturnLoans(now)))
        {
            case LoanReturn.Begun begun:
                return Results.Json(
                    new ReturnAnswer([.. begun.Workers.Select(worker => worker.Value)]), ApiJson.Default.ReturnAnswer, statusCode: StatusCodes.Status202Accepted);
            case LoanReturn.StorageAway:
                return Problems.StorageAway(context, state.StoreFault);
            default:
                throw new InvalidOperationException("Unknown outcome of a return.");
        }
    }

    private static IResult Answer(PauseStatus status) => Results.Json(PauseAnswer.Of(status), ApiJson.Default.PauseAnswer);
}
