using Mesh.Server.Map;

namespace Mesh.Server.Api;

internal static class ApiEndpoints
{
    /// <summary>Maps the whole HTTP API.</summary>
    public static void MapMeshApi(this WebApplication app)
    {
        app.MapOpenApi();
        var api = app.MapGroup("").AddEndpointFilter<RouteGroupBuilder, AvailabilityFilter>().ProducesCommonProblems();
        api.MapTasks();
        api.MapAccounts();
        api.MapStatus();
        api.MapOperations();
        api.MapMap();
    }
}
