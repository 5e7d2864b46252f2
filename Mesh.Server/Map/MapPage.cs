using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Map;

/// <summary>
/// The mesh map's page, style and scripts. They hold no data, so that they are served without the token: the page asks for it and reads
/// the status with it. Only these very paths, and never an upgrade: a WebSocket peer may knock on any path, and must show its token.
/// </summary>
internal sealed class MapPage
{
    /// <summary>Everything comes from this server; nothing is inlined, framed, or sent anywhere else.</summary>
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
    };

    public Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            || !_assets.TryGetValue(request.Path.Value ?? "", out var asset)
            || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
        {
            return next(context);
        }

        // Eight files are no trace that anybody wants to watch.
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
