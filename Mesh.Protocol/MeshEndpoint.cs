using System.Globalization;
using System.Net;

namespace Mesh.Protocol;

/// <summary>An address in the protocol: {"ip": …, "port": …}. The host is an IP address or a name of up to 255 bytes. The port is 1 to 65535.</summary>
public readonly record struct MeshEndpoint(string Host, int Port)
{
    /// <summary>Parses host:port. An IPv6 host is in brackets.</summary>
    public static bool TryParse(string text, out MeshEndpoint endpoint)
    {
        endpoint = default;
        var colon = text.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            return false;
        }

        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            if (!IPAddress.TryParse(host, out _))
            {
                return false;
            }
        }
        else if (Uri.CheckHostName(host) is UriHostNameType.Unknown or UriHostNameType.IPv6)
        {
            return false;
        }

        endpoint = new MeshEndpoint(host, port);
        return true;
    }

    /// <summary>Returns host:port. An IPv6 host is in brackets.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
