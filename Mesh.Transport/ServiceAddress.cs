using System.Buffers;
using System.Net;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>The configured address of a server: host:port or the name of a service, and whether connections use TLS.</summary>
/// <param name="Endpoint">The address. Null when it must be resolved by service discovery.</param>
/// <param name="Name">The name for service discovery, with its scheme. Null when the address is given.</param>
public readonly record struct ServiceAddress(MeshEndpoint? Endpoint, string? Name, bool IsTls)
{
    /// <summary>The format that <see cref="Parse"/> accepts, for error messages.</summary>
    public const string ExpectedFormat = "host:port or a service-discovery name, alone or after http://, https://, ws:// or wss://";

    private static readonly SearchValues<char> InvalidNameCharacters = SearchValues.Create(" /?#@:");

    /// <summary>Parses a configured address. Returns null when the text is neither an address nor a name.</summary>
    public static ServiceAddress? Parse(string text)
    {
        var (scheme, rest) = text.Split("://", 2) is [var before, var after] ? (before.ToLowerInvariant(), after) : ("http", text);
        var tls = scheme is "https" or "wss";
        if (!tls && scheme is not ("http" or "ws" or "https+http"))
        {
            return null;
        }

        rest = rest.TrimEnd('/');
        return MeshEndpoint.TryParse(rest, out var endpoint) ? new(endpoint, null, tls)
            : rest.Length == 0 || rest.AsSpan().ContainsAny(InvalidNameCharacters) ? null
            : new(null, $"{(tls ? "https" : scheme == "https+http" ? scheme : "http")}://{rest}", tls);
    }

    /// <summary>Converts an endpoint that service discovery found. Returns null when it has no port.</summary>
    public static MeshEndpoint? ToMeshEndpoint(EndPoint found) => found switch
    {
        IPEndPoint { Port: > 0 } ip => new MeshEndpoint(ip.Address.ToString(), ip.Port),
        DnsEndPoint { Port: > 0 } dns => new MeshEndpoint(dns.Host, dns.Port),
        _ when Uri.TryCreate(found.ToString(), UriKind.Absolute, out var uri) && uri.Port > 0 => new MeshEndpoint(uri.IdnHost, uri.Port),
        _ => null,
    };
}
