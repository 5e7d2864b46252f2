using Aspire.Hosting.ApplicationModel;
using MeshAspire.Hosting.Commands;

namespace Aspire.Hosting;

/// <summary>Adds servers of a mesh to an application.</summary>
public static class MeshServerBuilderExtensions
{
    private const string PeerRelation = "Peer";

    /// <summary>The name under which a server looks for the connection string of its Redis.</summary>
    private const string RedisConnection = "redis";

    /// <summary>
    /// Adds a server that stores its state in <paramref name="redis"/> and starts when that is healthy. In the dashboard it has links to its map and its API, and commands that
    /// pause it, resume it and return its borrowed workers. In run mode its map links to the traces, and it notices a lost peer within seconds.
    /// </summary>
    /// <typeparam name="TProject">The project of the server, for example <c>Projects.Mesh_Server</c>.</typeparam>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="name">The name of the resource, which is also the id of the server in the mesh.</param>
    /// <param name="redis">The Redis of the mesh. All servers of one mesh use the same one.</param>
    /// <param name="token">The shared secret of the mesh.</param>
    /// <returns>The builder of the server's resource.</returns>
    public static IResourceBuilder<ProjectResource> AddMeshServer<TProject>(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, IResourceBuilder<IResourceWithConnectionString> redis, IResourceBuilder<ParameterResource> token)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(redis);
        ArgumentNullException.ThrowIfNull(token);

        // Peers and workers are configured with the server's own port, so Aspire must not put a proxy in front of it.
        var server = builder.AddProject<TProject>(name, launchProfileName: null).WithBuiltProgram()
            .WithAnnotation(new MeshServerAnnotation(token.Resource))
            .WithHttpEndpoint(isProxied: false).WithHttpHealthCheck("/health")
            .WithUrlForEndpoint("http", url => url.DisplayText = "Map")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/openapi/v1.json", DisplayText = "API" })
            .WithIconName("Server")
            .WithReference(redis, RedisConnection).WaitFor(redis)
            .WithEnvironment("Mesh__ServerId", name)
            .WithEnvironment("Mesh__Token", token)
            .WithServerCommands();
        if (builder.ExecutionContext.IsRunMode)
        {
            server.WithDashboardLinks().WithEnvironment("Mesh__Timing__HeartbeatInterval", "00:00:05");
        }

        return server.WithEnvironment("Mesh__Advertise", server.GetEndpoint("http").Property(EndpointProperty.HostAndPort));
    }

    /// <summary>Makes two servers peers of each other, so that each of them can borrow workers of the other one.</summary>
    /// <param name="server">One of the two servers.</param>
    /// <param name="peer">The other server.</param>
    /// <returns>The builder of <paramref name="server"/>.</returns>
    /// <exception cref="ArgumentException">One of the two is not a server of a mesh, both are the same, or they are peers already.</exception>
    public static IResourceBuilder<ProjectResource> WithPeer(this IResourceBuilder<ProjectResource> server, IResourceBuilder<ProjectResource> peer)
    {
        server.GetMeshServer(nameof(server));
        peer.GetMeshServer(nameof(peer));
        if (server.Resource == peer.Resource || server.Resource.GetPeers().Contains(peer.Resource))
        {
            throw new ArgumentException($"{peer.Resource.Name} cannot be added as a peer of {server.Resource.Name}: it is the same server, or a peer already.", nameof(peer));
        }

        AddPeer(server, peer);
        AddPeer(peer, server);
        return server;
    }

    /// <summary>Adds a command that submits a number of QUERY or UPDATE tasks, which the workers of the project Mesh.Worker handle.</summary>
    /// <param name="server">The server.</param>
    /// <returns>The builder of the server.</returns>
    /// <exception cref="ArgumentException">The project is not a server of a mesh.</exception>
    public static IResourceBuilder<ProjectResource> WithSubmitWaveCommand(this IResourceBuilder<ProjectResource> server)
    {
        server.GetMeshServer(nameof(server));
        return server.WithServerCommand("submit-wave", "Submit a wave of tasks", SubmitWaveCommand.SubmitAsync, new CommandOptions
        {
            Description = "Submits a number of tasks of one type.",
            IconName = "Send",
            IsHighlighted = true,
            Arguments = SubmitWaveCommand.Arguments,
            ValidateArguments = SubmitWaveCommand.ValidateAsync,
        });
    }

    /// <exception cref="ArgumentException">The project is not a server of a mesh.</exception>
    internal static MeshServerAnnotation GetMeshServer(this IResourceBuilder<ProjectResource> server, string parameter)
    {
        ArgumentNullException.ThrowIfNull(server, parameter);
        return server.Resource.Annotations.OfType<MeshServerAnnotation>().FirstOrDefault()
            ?? throw new ArgumentException($"{server.Resource.Name} is not a server of a mesh. Add it by {nameof(AddMeshServer)}.", parameter);
    }

    private static IEnumerable<IResource> GetPeers(this ProjectResource server) => server.Annotations.OfType<ResourceRelationshipAnnotation>()
        .Where(relation => relation.Type == PeerRelation).Select(relation => relation.Resource);

    private static void AddPeer(IResourceBuilder<ProjectResource> server, IResourceBuilder<ProjectResource> peer)
    {
        var key = $"Mesh__Peers__{server.Resource.GetPeers().Count()}";
        server.WithRelationship(peer.Resource, PeerRelation)
            .WithEnvironment($"{key}__Id", peer.Resource.Name)
            .WithEnvironment($"{key}__Endpoint", peer.GetEndpoint("http").Property(EndpointProperty.HostAndPort));
    }
}
