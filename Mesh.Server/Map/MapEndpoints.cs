using Mesh.Server.Api;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Map;

/// <summary>The settings that the map needs besides the status.</summary>
/// <param name="Dashboard">The base URL of the dashboard without a trailing slash, or null.</param>
/// <param name="HighMark">The server borrows workers while more tasks than this wait.</param>
/// <param name="LowMark">The server releases borrowed workers while no more tasks than this wait.</param>
internal sealed record MapSettings(string? Dashboard, int HighMark, int LowMark);

internal static class MapEndpoints
{
    /// <summary>Maps the endpoint with the map's settings. Only the map's page uses it, so it is not in the OpenAPI document.</summary>
    public static void MapMap(this IEndpointRouteBuilder app) => app
        .MapGet("/map/settings", (IOptions<MeshOptions> options) => Results.Json(
            new MapSettings(
                options.Value.Dashboard?.TrimEnd('/'),
                options.Value.Balancing.MaxQueueThreshold,
                options.Value.Balancing.MinQueueThreshold),
            ApiJson.Default.MapSettings))
        .ExcludeFromDescription();
}
