using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.Worker.Links;

/// <summary>A configured address: host:port is taken as it is, a name is looked up in service discovery each time.</summary>
internal sealed class ServerAddressResolver(ServiceAddress configured, ServiceEndpointResolver resolver)
{
    private int _nextEndpoint = -1;

    /// <exception cref="MeshDialException">Service discovery has no address under this name, or failed.</exception>
    public async ValueTask<MeshEndpoint> FindAsync(CancellationToken cancellation)
    {
        if (configured.Endpoint is { } endpoint)
        {
            return endpoint;
        }

        var found = await ResolveAsync(configured.Name!, cancellation);
        if (found.Count == 0)
        {
            throw new MeshDialException(MeshDialFailure.Unreachable, $"service discovery has no endpoint for {configured.Name}");
        }

        // One address may be dead while another serves.
        return found[(++_nextEndpoint & int.MaxValue) % found.Count];
    }

    private async ValueTask<List<MeshEndpoint>> ResolveAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var source = await resolver.GetEndpointsAsync(name, cancellation);
            return [.. source.Endpoints.Select(endpoint => ServiceAddress.ToMeshEndpoint(endpoint.EndPoint)).OfType<MeshEndpoint>()];
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw new MeshDialException(MeshDialFailure.Unreachable, $"service discovery failed for {name}: {fault.Message}", fault);
        }
    }
}
