using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Mesh.Server.Api;

/// <summary>
/// Names in paths, such as the id in /tasks/{id}, percent-decoded once and whole. The web server leaves %2F as it is, so that in its path a/b and a%2Fb are the
/// same; only the request's own target tells them apart.
/// </summary>
internal static class PathSegmentDecoder
{
    private const string Parent = "..";

    /// <summary>Null, or what is wrong with a name that a client chose: clients and servers take . and .. out of a path, encoded or not.</summary>
    public static string? Check(string name) => name is "." or Parent ? "must not be . or .., which no URL can have as a name" : null;

    /// <summary>A middleware behind routing. A whole URL as the target, which is for proxies alone, is left as the web server has decoded it.</summary>
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

    /// <summary>The decoded segments of a target's path, without those that are . and ..</summary>
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
