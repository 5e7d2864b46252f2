using System.Globalization;
using System.Net;
using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.Worker.Links;

/// <summary>A configured address: host:port is taken as it is, anything else is looked up in service discovery each time.</summary>
internal sealed class ServerAddress
{
    private readonly ServiceEndpointResolver _resolver;
    private readonly string _service;
    private readonly MeshEndpoint? _endpoint;
    private int _turn = -1;

    public ServerAddress(string configured, ServiceEndpointResolver resolver)
    {
        _resolver = resolver;
        _service = Normalize(configured);
        _endpoint = TryParse(_service);
        IsTls = _service.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether the address asks for TLS.</summary>
    public bool IsTls { get; }

    /// <exception cref="MeshDialException">Service discovery has no address under this name, or failed.</exception>
    public async ValueTask<MeshEndpoint> FindAsync(CancellationToken cancellation)
    {
        if (_endpoint is { } endpoint)
        {
            return endpoint;
        }

        var found = await ResolveAsync(cancellation);
        if (found.Count == 0)
        {
            throw new MeshDialException(MeshDialFailure.Unreachable, $"service discovery has no endpoint for {_service}");
        }

        // One address may be dead while another serves.
        return found[(++_turn & int.MaxValue) % found.Count];
    }

    public static bool IsValid(string configured) =>
        Uri.TryCreate(Normalize(configured), UriKind.Absolute, out var uri) && uri.Host.Length > 0;

    // Service discovery knows http and https.
    private static string Normalize(string configured) =>
        configured.StartsWith("wss://", StringComparison.OrdinalIgnoreCase) ? "https" + configured[3..]
        : configured.StartsWith("ws://", StringComparison.OrdinalIgnoreCase) ? "http" + configured[2..]
        : configured.Contains("://", StringComparison.Ordinal) ? configured
        : "http://" + configured;

    private async ValueTask<List<MeshEndpoint>> ResolveAsync(CancellationToken cancellation)
    {
        try
        {
            var source = await _resolver.GetEndpointsAsync(_service, cancellation);
            return [.. source.Endpoints.Select(endpoint => Of(endpoint.EndPoint)).OfType<MeshEndpoint>()];
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw new MeshDialException(MeshDialFailure.Unreachable, $"service discovery failed for {_service}: {fault.Message}", fault);
        }
    }

    private static MeshEndpoint? Of(EndPoint endpoint) => endpoint switch
    {
        UriEndPoint { Uri: var uri } => new(uri.IdnHost, uri.Port),
        IPEndPoint ip => new(ip.Address.ToString(), ip.Port),
        DnsEndPoint { Port: > 0 } dns => new(dns.Host, dns.Port),
        _ => null,
    };

    // A port that is given is meant, even the scheme's own; Uri alone can't tell.
    private static MeshEndpoint? TryParse(string url)
    {
        var uri = new Uri(url);
        var port = uri.Authority.LastIndexOf(':') is > 0 and var colon && !uri.Authority.EndsWith(']')
            && int.TryParse(uri.Authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given
            : url.TrimEnd('/').EndsWith($":{uri.Port}", StringComparison.Ordinal) ? uri.Port
            : 0;
        return port > 0 ? new(uri.IdnHost, port) : null;
    }
}
