using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds workers of a mesh to an application.</summary>
public static class MeshWorkersBuilderExtensions
{
    /// <summary>Adds a number of equal workers whose home is one server. They start when the server is healthy.</summary>
    /// <typeparam name="TProject">The project of the worker.</typeparam>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="homeServer">The server that the workers belong to.</param>
    /// <param name="replicas">The number of workers. Default: 1. It is not published.</param>
    /// <param name="redis">
    /// The Redis whose connection string the workers get. The workers of the project Mesh.Worker need the Redis of the mesh, which contains the account balances. Default: none.
    /// </param>
    /// <returns>The builder of the workers' resource.</returns>
    /// <exception cref="ArgumentException">The home is not a server of a mesh, or the number is less than 1.</exception>
    public static IResourceBuilder<ProjectResource> AddMeshWorkers<TProject>(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, IResourceBuilder<ProjectResource> homeServer, int replicas = 1,
        IResourceBuilder<IResourceWithConnectionString>? redis = null)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        var token = homeServer.GetMeshServer(nameof(homeServer)).Token;

        var workers = builder.AddProject<TProject>(name, launchProfileName: null).WithBuiltProgram().WithReplicas(replicas).WithIconName("PeopleTeam");
        if (redis is not null)
        {
            workers.WithReference(redis);
        }

        return workers.WithReference(homeServer).WaitFor(homeServer)
            .WithRelationship(homeServer.Resource, "Home")
            .WithEnvironment("Mesh__HomeServer__Id", homeServer.Resource.Name)
            .WithEnvironment("Mesh__HomeServer__Endpoint", homeServer.GetEndpoint("http").Property(EndpointProperty.HostAndPort))
            .WithEnvironment("Mesh__Token", token);
    }
}
