using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Mesh.Server.Api;

/// <summary>
/// Decodes the percent-encoded names in paths, such as the id in /tasks/{id}, exactly once. The web server does not decode %2F, so its decoded path does not
/// distinguish %2F from %252F. This type reads the names from the raw request target instead.
/// </summary>
internal static class PathSegmentDecoder
{
    private const string Parent = "..";

    /// <summary>
    /// The middleware. It runs after routing and replaces the route values. When the request target is an absolute URL, as requests to proxies have it, the
    /// values that the web server decoded are kept.
    /// </summary>
    public static Task DecodeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is RouteEndpoint { RoutePattern: { Parameters.Count: > 0 } pattern }
            && context.Features.Get<IHttpRequestFeature>() is { RawTarget: ['/', ..] target } && target.Contains('%', StringComparison.Ordinal))
        {
            var segments = SplitPath(target);
            for (var i = 0; i < pattern.PathSegments.Count && i < segments.Count; i++)
            {
                if (pattern.PathSegments[i] is { Parts: [RoutePatternParameterPart parameter] })
                {
                    context.Request.RouteValues[parameter.Name] = segments[i];
                }
            }
        }

        return next(context);
    }

    /// <summary>Returns the decoded segments of a target's path, with the segments "." and ".." resolved.</summary>
    private static List<string> SplitPath(string target)
    {
        var segments = new List<string>();
        foreach (var segment in target[1..].Split('?')[0].Split('/'))
        {
            var name = Uri.UnescapeDataString(segment);
            if (name == Parent)
            {
                segments.RemoveRange(Math.Max(segments.Count - 1, 0), Math.Min(segments.Count, 1));
            }
            else if (name != ".")
            {
                segments.Add(name);
            }
        }

        return segments;
    }
}
