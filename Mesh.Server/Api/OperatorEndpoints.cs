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
    }

    private static IResult Answer(PauseStatus status) => Results.Json(PauseAnswer.Of(status), ApiJson.Default.PauseAnswer);
}
