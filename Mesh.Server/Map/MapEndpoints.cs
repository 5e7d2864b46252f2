using Mesh.Server.Api;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Map;

/// <summary>What the map is told besides the status, which changes only with the configuration.</summary>
/// <param name="Dashboard">Base URL of the dashboard, without a slash at its end, or null.</param>
/// <param name="HighMark">With more tasks waiting, workers are borrowed.</param>
/// <param name="LowMark">With no more tasks waiting, they are given back.</param>
internal sealed record MapSettings(string? Dashboard, int HighMark, int LowMark);

internal static class MapEndpoints
{
    /// <summary>For the page alone, so not described.</summary>
    public static void MapMap(this IEndpointRouteBuilder app) => app
        .MapGet("/map/settings", (IOptions<MeshOptions> options) => Results.Json(
            new MapSettings(
                options.Value.Dashboard?.TrimEnd('/'),
                options.Value.Balancing.MaxQueueThreshold,
                options.Value.Balancing.MinQueueThreshold),
            ApiJson.Default.MapSettings))
        .ExcludeFromDescription();
}
