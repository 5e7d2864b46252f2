using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Mesh.Protocol;

/// <summary>A pattern of allowed addresses: a host, host:port, or all hosts of a domain.</summary>
/// <param name="Host">The host in lower case. For a domain, the part after "*", beginning with a dot.</param>
/// <param name="Port">The port, or null for all ports.</param>
/// <param name="IsDomain">Whether <paramref name="Host"/> is the end of a host name.</param>
public sealed record EndpointPattern(string Host, int? Port, bool IsDomain)
{
    /// <summary>The expected format, for error messages.</summary>
    public const string ExpectedFormat = "host, host:port or *.domain, an IPv6 address in brackets when a port follows";

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out EndpointPattern? pattern)
    {
        pattern = null;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        var domain = text.StartsWith("*.", StringComparison.Ordinal);
        var (host, port) = Split(domain ? text[2..] : text);
        if (port is < 1 or > ushort.MaxValue || Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            return false;
        }

        pattern = new((domain ? "." : "") + host.ToLowerInvariant(), port, domain);
        return true;
    }

    public bool Matches(MeshEndpoint endpoint) =>
        (Port is null || Port == endpoint.Port)
        && (IsDomain ? endpoint.Host.EndsWith(Host, StringComparison.OrdinalIgnoreCase) : endpoint.Host.Equals(Host, StringComparison.OrdinalIgnoreCase));

    // Several colons without brackets are an IPv6 address without a port.
    private static (string Host, int? Port) Split(string text)
    {
        if (text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var bracket)
        {
            return (text[1..bracket], bracket == text.Length - 1 ? null : text[bracket + 1] == ':' ? PortOf(text[(bracket + 2)..]) : 0);
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || colon != text.LastIndexOf(':') ? (text, null) : (text[..colon], PortOf(text[(colon + 1)..]));
    }

    private static int PortOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;
}

/// <summary>An immutable list of patterns.</summary>
public sealed class EndpointPatterns
{
    public static readonly EndpointPatterns None = new([]);

    private readonly EndpointPattern[] _patterns;

    private EndpointPatterns(EndpointPattern[] patterns) => _patterns = patterns;

    public bool IsEmpty => _patterns.Length == 0;

    /// <exception cref="FormatException">One of the texts is not a pattern.</exception>
    public static EndpointPatterns Of(IEnumerable<string> texts)
    {
        EndpointPattern[] patterns =
            [.. texts.Select(text => EndpointPattern.TryParse(text, out var pattern) ? pattern : throw new FormatException($"'{text}' is not {EndpointPattern.ExpectedFormat}"))];
        return patterns.Length == 0 ? None : new(patterns);
    }

    public bool Match(MeshEndpoint endpoint) => Array.Exists(_patterns, pattern => pattern.Matches(endpoint));
}
