using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.ServiceDiscovery;

namespace MeshAspire.Worker.Links;

/// <summary>Resolves a configured address. A host:port is returned unchanged; a name is resolved by service discovery at each call.</summary>
internal sealed class ServerAddressResolver(ServiceAddress configured, ServiceEndpointResolver resolver)
{
    private int _nextEndpoint = -1;

    /// <summary>Returns the address to dial.</summary>
    /// <exception cref="MeshDialException">Service discovery has failed or has no address for this name.</exception>
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

        // Each call returns the next address, because one address may be down while another one works.
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
