internal static class MeshRedis
{
    private const string Setting = "Mesh:Redis";

    /// <summary>
    /// Adds the Redis of the mesh: a container, unless <c>Mesh:Redis</c> is <c>garnet</c>, which wants no container runtime, or <c>external</c>, which takes
    /// the one at <c>ConnectionStrings:{name}</c>. What is published is always a container, or the connection string.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddMeshRedis(this IDistributedApplicationBuilder builder, string name) =>
        builder.Configuration[Setting] switch
        {
            "external" => builder.AddConnectionString(name),
            "garnet" when builder.ExecutionContext.IsRunMode => builder.AddGarnetTool(name),
            null or "" or "container" or "garnet" => builder.AddRedis(name).WithDataVolume(builder.Configuration["Mesh:RedisVolume"]).WithPersistence(),
            var other => throw new DistributedApplicationException($"{name} can't start: {Setting} is '{other}'; it can be container, garnet or external."),
        };
}
