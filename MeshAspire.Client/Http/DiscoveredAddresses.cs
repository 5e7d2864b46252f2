using System.Net;
using Microsoft.Extensions.ServiceDiscovery;

namespace MeshAspire.Client.Http;

/// <summary>
/// Addresses of which some are names of services. They are resolved here and not by the handler of service discovery, because the handler can send each request to another
/// endpoint of a service, and a task must be submitted again to the same server.
/// </summary>
internal sealed class DiscoveredAddresses(IReadOnlyList<Uri> configured, ServiceEndpointResolver resolver) : IServerAddresses
{
    public async ValueTask<IReadOnlyList<Uri>> GetAsync(CancellationToken cancellationToken)
    {
        var addresses = new List<Uri>(configured.Count);
        foreach (var address in configured)
        {
            if (!IsServiceName(address))
            {
                addresses.Add(address);
                continue;
            }

            var service = await resolver.GetEndpointsAsync(address.GetLeftPart(UriPartial.Authority), cancellationToken).ConfigureAwait(false);
            addresses.AddRange(service.Endpoints.Select(endpoint => Combine(address, endpoint.EndPoint)));
        }

        return [.. addresses.Select(MeshServer.Normalize).Distinct()];
    }

    /// <summary>Returns whether an address can be the name of a service: it has several schemes, or it has no port and its host is no IP address.</summary>
    private static bool IsServiceName(Uri address) =>
        address.Scheme.Contains('+', StringComparison.Ordinal) || (address.IsDefaultPort && address.HostNameType is not (UriHostNameType.IPv4 or UriHostNameType.IPv6));

    private static Uri Combine(Uri address, EndPoint endpoint)
    {
        // Of several schemes, such as https+http, the first one is preferred.
        var scheme = address.Scheme.Split('+')[0];
        var builder = endpoint switch
        {
            UriEndPoint { Uri: var uri } => new UriBuilder(uri),
            DnsEndPoint dns => new UriBuilder(scheme, dns.Host, dns.Port > 0 ? dns.Port : -1),
            IPEndPoint ip => new UriBuilder(scheme, ip.Address.ToString(), ip.Port > 0 ? ip.Port : -1),
            _ => throw new NotSupportedException($"The service {address} was resolved to {endpoint}, which is no address of an HTTP server."),
        };
        builder.Path = builder.Path.TrimEnd('/') + address.AbsolutePath;
        return builder.Uri;
    }
}
