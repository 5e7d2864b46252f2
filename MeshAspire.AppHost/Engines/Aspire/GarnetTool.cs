using MeshAspire.Embedded.Redis;
using Microsoft.Extensions.DependencyInjection;

/// <summary>A Redis without a container runtime: Garnet, the .NET tool that the repository's tool manifest pins.</summary>
internal sealed class GarnetToolResource(string name, string workingDirectory, ParameterResource password)
    : ExecutableResource(name, "dotnet", workingDirectory), IResourceWithConnectionString
{
    public const string EndpointName = "tcp";

    public ParameterResource Password => password;

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"{new EndpointReference(this, EndpointName).Property(EndpointProperty.HostAndPort)},password={password}");
}

internal static class GarnetTool
{
    /// <summary>Adds a Garnet that keeps its data below the AppHost's <c>obj</c>, where a git clean finds it.</summary>
    public static IResourceBuilder<GarnetToolResource> AddGarnetTool(this IDistributedApplicationBuilder builder, string name)
    {
        var password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var garnet = new GarnetToolResource(name, builder.AppHostDirectory, password);
        var data = Path.Combine(builder.AppHostDirectory, "obj", "garnet", builder.Configuration["Mesh:RedisVolume"] ?? name);

        string? connectionString = null;
        builder.Eventing.Subscribe<ConnectionStringAvailableEvent>(garnet, async (_, cancellationToken) =>
            connectionString = await garnet.ConnectionStringExpression.GetValueAsync(cancellationToken));
        var check = $"{name}_check";
        builder.Services.AddHealthChecks().AddRedis(
            _ => connectionString ?? throw new InvalidOperationException($"The connection string of {name} isn't known yet."), name: check);

        return builder.AddResource(garnet)
            .WithEndpoint(name: GarnetToolResource.EndpointName, scheme: "redis")
            .WithHealthCheck(check)
            .WithEnvironment(GarnetSettings.Variable.Key, GarnetSettings.Variable.Value)
            .WithArgs(async context =>
            {
                string[] tool = ["tool", "exec", "garnet-server", "--yes", "--"];
                foreach (var word in tool)
                {
                    context.Args.Add(word);
                }

                context.Args.Add("--config-import-path");
                context.Args.Add(await ConfigureAsync(garnet, data, context.CancellationToken));
                context.Args.Add("--port");
                context.Args.Add(new EndpointReference(garnet, GarnetToolResource.EndpointName).Property(EndpointProperty.TargetPort));
            });
    }

    // A file that only this user can read.
    private static async Task<string> ConfigureAsync(GarnetToolResource garnet, string data, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(data);
        var file = Path.Combine(data, "garnet.conf");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(file, options);
        await writer.WriteAsync(GarnetSettings.Json(data, await garnet.Password.GetValueAsync(cancellationToken) ?? ""));
        return file;
    }
}
