using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Configures clients of a mesh.</summary>
public static class MeshClientBuilderExtensions
{
    /// <summary>
    /// Makes a resource a client of a server, for example of <c>MeshAspire.Client</c> with the connection name <c>server-a</c>. It gets the address of the server for service
    /// discovery, and the token of the mesh, and starts when the server is healthy.
    /// </summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="client">The resource that submits tasks.</param>
    /// <param name="server">The server that it submits them to.</param>
    /// <returns>The builder of <paramref name="client"/>.</returns>
    /// <exception cref="ArgumentException">The server is not a server of a mesh.</exception>
    public static IResourceBuilder<T> WithMeshClient<T>(this IResourceBuilder<T> client, IResourceBuilder<ProjectResource> server)
        where T : IResourceWithEnvironment, IResourceWithWaitSupport
    {
        ArgumentNullException.ThrowIfNull(client);
        var token = server.GetMeshServer(nameof(server)).Token;
        return client.WithReference(server).WaitFor(server).WithEnvironment("Mesh__Client__Token", token);
    }
}
