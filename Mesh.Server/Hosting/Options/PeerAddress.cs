using System.Buffers;
using Mesh.Protocol;

namespace Mesh.Server.Hosting.Options;

/// <summary>A peer's configured address: host:port or the name of a service, and whether it is spoken to over TLS.</summary>
/// <param name="Name">What service discovery is asked for, with its scheme; null when the address is given.</param>
internal readonly record struct PeerAddress(MeshEndpoint? Endpoint, string? Name, bool IsTls)
{
    private static readonly SearchValues<char> InNoName = SearchValues.Create(" /?#@:");

    /// <summary>Null when it is neither.</summary>
    public static PeerAddress? Parse(string text)
    {
        var (scheme, rest) = text.Split("://", 2) is [var before, var after] ? (before, after) : ("http", text);
        var tls = scheme is "https" or "wss";
        if (!tls && scheme is not ("http" or "ws" or "https+http"))
        {
            return null;
        }

        rest = rest.TrimEnd('/');
        return EndpointText.TryParse(rest, out var endpoint) ? new(endpoint, null, tls)
            : rest.Length == 0 || rest.AsSpan().ContainsAny(InNoName) ? null
            : new(null, $"{(tls ? "https" : scheme == "https+http" ? scheme : "http")}://{rest}", tls);
    }
}
