internal static class MeshRedis
{
    /// <summary>Adds the Redis of the mesh. On this engine <c>AddRedis</c> itself reads <c>Mesh:Redis</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddMeshRedis(this IDistributedApplicationBuilder builder, string name) =>
        builder.AddRedis(name).WithDataVolume(builder.Configuration["Mesh:RedisVolume"]).WithPersistence();
}
