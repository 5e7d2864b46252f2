using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class RedisBuilderExtensions
{
    private const int ContainerPort = 6379;

    private static readonly TimeSpan SnapshotInterval = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Adds a Redis that asks for a password. <c>Mesh:Redis</c> chooses what it is: <c>garnet</c>, <c>redis-server</c> or <c>external</c>;
    /// unset, a redis-server or valkey-server on the PATH, else Garnet.
    /// </summary>
    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        // No specials: a comma ends the password in a connection string of StackExchange.Redis.
        var parameter = password?.Resource
            ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var publish = builder.ExecutionContext.IsPublishMode;
        var redis = builder.AddResource(new RedisResource(name, parameter))
            .WithAnnotation(new EndpointAnnotation(
                ProtocolType.Tcp, uriScheme: "redis", name: RedisResource.PrimaryEndpointName, port: port, targetPort: publish ? ContainerPort : null));
        if (publish)
        {
            redis.Resource.Entrypoint = "/bin/sh";
            redis.WithEnvironment("REDIS_PASSWORD", parameter);
        }

        return redis;
    }

    /// <summary>Keeps the data from run to run, in the user's directory for application data.</summary>
    public static IResourceBuilder<RedisResource> WithDataVolume(
        this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
    {
        if (isReadOnly)
        {
            throw new NotSupportedException("A Redis with a read-only volume isn't part of the engine Embedded.");
        }

        builder.Resource.Volume = name ?? (builder.ApplicationBuilder.ExecutionContext.IsPublishMode
            ? VolumeNameGenerator.Generate(builder, "data")
            : builder.Resource.Name);
        return builder.WithPersistence();
    }

    /// <summary>
    /// Keeps the data from run to run. Run here, each write is logged before it is acknowledged, so intervals and thresholds don't matter; a published
    /// Redis writes a snapshot at each interval in which so many keys have changed.
    /// </summary>
    public static IResourceBuilder<RedisResource> WithPersistence(
        this IResourceBuilder<RedisResource> builder, TimeSpan? interval = null, long keysChangedThreshold = 1)
    {
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            builder.Resource.Volume ??= builder.Resource.Name;
        }

        builder.Resource.Snapshots = (interval ?? SnapshotInterval, keysChangedThreshold);
        return builder;
    }
}
