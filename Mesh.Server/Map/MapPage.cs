using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Map;

/// <summary>
/// Serves the page, style sheet and scripts of the mesh map. They contain no data, so they are served without a token. The page asks the user for the token
/// and reads the status with it. Requests for other paths, and upgrade requests for any path, continue to the next middleware: a WebSocket peer may connect to
/// any path and needs its token.
/// </summary>
internal sealed class MapPage
{
    /// <summary>Allows resources and requests from and to this server only. Inline scripts, inline styles and frames are not allowed.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Script = "text/javascript; charset=utf-8";

    private readonly Dictionary<string, Asset> _assets = new(StringComparer.Ordinal)
    {
        ["/"] = Load("map.html", "text/html; charset=utf-8"),
        ["/map/map.css"] = Load("map.css", "text/css; charset=utf-8"),
        ["/map/map.svg"] = Load("map.svg", "image/svg+xml"),
        ["/map/map.js"] = Load("map.js", Script),
        ["/map/feed.js"] = Load("feed.js", Script),
        ["/map/stage.js"] = Load("stage.js", Script),
        ["/map/loans.js"] = Load("loans.js", Script),
        ["/map/chart.js"] = Load("chart.js", Script),
        ["/map/tables.js"] = Load("tables.js", Script),
    };

    /// <summary>The middleware.</summary>
    public Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            || !_assets.TryGetValue(request.Path.Value ?? "", out var asset)
            || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
        {
            return next(context);
        }

        // Requests for static files are not traced.
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is { } activity)
        {
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
        return TypedResults.Bytes(asset.Content, asset.ContentType, entityTag: asset.Tag).ExecuteAsync(context);
    }

    private static Asset Load(string name, string contentType)
    {
        using var resource = typeof(MapPage).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is missing.");
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        return new(content, contentType, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\""));
    }

    private sealed record Asset(byte[] Content, string ContentType, EntityTagHeaderValue Tag);
}
