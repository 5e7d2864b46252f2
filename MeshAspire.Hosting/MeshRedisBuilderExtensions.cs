#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is experimental.

using Aspire.Hosting.ApplicationModel;
using MeshAspire.Hosting.Redis;
using MeshAspire.Hosting.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

/// <summary>Adds the Redis of a mesh to an application.</summary>
public static class MeshRedisBuilderExtensions
{
    private const string Kind = "Mesh:Redis";
    private const string Volume = "Mesh:RedisVolume";

    /// <summary>
    /// Adds the Redis of the mesh: a container when a container runtime is running, else Garnet. The setting <c>Mesh:Redis</c> overrides this: <c>container</c>, <c>garnet</c>,
    /// or <c>external</c> for the server at <c>ConnectionStrings:{name}</c>. A container or the connection string is published. Container and Garnet write each change to a
    /// log on disk. <c>Mesh:RedisVolume</c> names the data that is kept between runs.
    /// </summary>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="name">The name of the resource.</param>
    /// <returns>The builder of the resource.</returns>
    /// <exception cref="DistributedApplicationException">The setting is invalid, or the machine or the configuration lacks what it requires.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddMeshRedis(this IDistributedApplicationBuilder builder, [ResourceName] string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var kind = builder.Configuration[Kind];
        return kind switch
        {
            "external" => builder.AddExternalRedis(name),
            null or "" or "container" or "garnet" when builder.ExecutionContext.IsPublishMode => builder.AddRedisContainer(name),
            "container" => ContainerRuntime.IsRunning(builder, out var fault)
                ? builder.AddRedisContainer(name, $"{Kind} is container")
                : throw new DistributedApplicationException($"{name} cannot start: {Kind} is container, but {fault}. Start one, or set {Kind} to garnet."),
            "garnet" => builder.AddGarnetRedis(name, $"{Kind} is garnet"),
            null or "" => ContainerRuntime.IsRunning(builder, out var fault)
                ? builder.AddRedisContainer(name, "a container runtime is running")
                : builder.AddGarnetRedis(name, fault),
            _ => throw new DistributedApplicationException($"{Kind} is '{kind}'. It must be container, garnet or external. Without it, a container is used when a container runtime is running, else Garnet."),
        };
    }

    private static IResourceBuilder<IResourceWithConnectionString> AddRedisContainer(this IDistributedApplicationBuilder builder, string name, string? reason = null)
    {
        var redis = builder.AddRedis(name).WithAppendOnlyFile().WithoutHttpsCertificate();
        var volume = builder.Configuration[Volume] is { Length: > 0 } configured ? configured : VolumeNameGenerator.Generate(redis, "data");
        if (reason is null)
        {
            return redis.WithDataVolume(volume);
        }

        var locks = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "MeshAspire", "volumes");
        var held = builder.TryAcquireDataLock(Path.Combine(locks, $"{volume}.lock"));
        builder.AddStartupMessage(name, $"A container, since {reason}. {(held ? $"Its data are in the volume {volume}." : InUse($"the volume {volume}"))}");
        return held ? redis.WithDataVolume(volume) : redis;
    }

    private static IResourceBuilder<IResourceWithConnectionString> AddGarnetRedis(this IDistributedApplicationBuilder builder, string name, string reason)
    {
        var volume = builder.Configuration[Volume] is { Length: > 0 } configured ? configured : name;
        var data = Path.Combine(builder.AppHostDirectory, "obj", "garnet", volume);
        var held = builder.TryAcquireDataLock(Path.Combine(data, ".lock"));
        builder.AddStartupMessage(name, $"Garnet, since {reason}. {(held ? $"Its data are in {data}." : InUse(data))}");
        return builder.AddGarnet(name, held ? new DirectoryInfo(data) : builder.AddTemporaryDataDirectory()).WithRedisHealthCheck();
    }

    private static IResourceBuilder<IResourceWithConnectionString> AddExternalRedis(this IDistributedApplicationBuilder builder, string name)
    {
        if (builder.ExecutionContext.IsRunMode && string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name)))
        {
            throw new DistributedApplicationException($"{name} cannot start: {Kind} is external, so ConnectionStrings:{name} is required, as an environment variable ConnectionStrings__{name}.");
        }

        var redis = builder.AddConnectionString(name);
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.AddStartupMessage(name, $"The one at ConnectionStrings:{name}, since {Kind} is external.");
            redis.WithRedisHealthCheck();
        }

        return redis;
    }

    /// <summary>Enables the append-only file. <c>WithPersistence</c> enables only snapshots, which lose up to a minute of writes when Redis is killed.</summary>
    private static IResourceBuilder<RedisResource> WithAppendOnlyFile(this IResourceBuilder<RedisResource> redis) => redis.WithArgs(context =>
    {
        if (context.ExecutionContext.IsRunMode)
        {
            context.Args.Add("--appendonly");
            context.Args.Add("yes");
        }
        else
        {
            // The command of the container is one argument, which a shell runs.
            context.Args[^1] = $"{context.Args[^1]} --appendonly yes";
        }
    });

    private static IResourceBuilder<IResourceWithConnectionString> WithRedisHealthCheck(this IResourceBuilder<IResourceWithConnectionString> redis)
    {
        string? connectionString = null;
        var builder = redis.ApplicationBuilder;
        builder.Eventing.Subscribe<ConnectionStringAvailableEvent>(redis.Resource, async (_, cancellationToken) =>
            connectionString = await redis.Resource.GetConnectionStringAsync(cancellationToken));
        var check = $"{redis.Resource.Name}_check";
        builder.Services.AddHealthChecks().AddRedis(
            _ => connectionString ?? throw new InvalidOperationException($"The connection string of {redis.Resource.Name} is not known yet."), name: check);
        return redis.WithHealthCheck(check);
    }

    private static bool TryAcquireDataLock(this IDistributedApplicationBuilder builder, string file)
    {
        if (DataDirectoryLock.TryAcquire(file) is not { } held)
        {
            return false;
        }

        // Registered by a factory, so that the application disposes it.
        builder.Services.AddHostedService(_ => held);
        return true;
    }

    private static DirectoryInfo AddTemporaryDataDirectory(this IDistributedApplicationBuilder builder)
    {
        var data = new TemporaryDataDirectory();
        builder.Services.AddHostedService(_ => data);
        return data.Directory;
    }

    private static string InUse(string data) => $"Another run is using {data}, so this one starts without data and keeps none.";
}
