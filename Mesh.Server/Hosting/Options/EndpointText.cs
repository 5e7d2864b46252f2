using System.Globalization;
using System.Net;
using Mesh.Protocol;

namespace Mesh.Server.Hosting.Options;

/// <summary>host:port as people write it; an IPv6 host in brackets.</summary>
internal static class EndpointText
{
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
}
