using System.Text.Json;
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

    // In a file that only this user can read: arguments are for every user to see.
    private static async Task<string> ConfigureAsync(GarnetToolResource garnet, string data, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(data);
        var file = Path.Combine(data, "garnet.conf");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(file, options);
        await JsonSerializer.SerializeAsync(
            stream,
            new Dictionary<string, object>
            {
                ["Address"] = "127.0.0.1,::1",
                ["AuthenticationMode"] = "Password",
                ["Password"] = await garnet.Password.GetValueAsync(cancellationToken) ?? "",
                ["CheckpointDir"] = data,
                ["EnableAOF"] = true,
                ["Recover"] = true,
                ["AofSizeLimit"] = "256m",
                // Without it, what was acknowledged in the last moments is lost with the process.
                ["WaitForCommit"] = true,
                ["EnableLua"] = true,
                // Without it, scripts of different connections run at once and overwrite each other's updates.
                ["LuaTransactionMode"] = true,
                // The native device wants libaio.
                ["DeviceType"] = "RandomAccess",
                ["LogMemorySize"] = "1g",
                ["PageSize"] = "4m",
                ["IndexMemorySize"] = "16m",
                ["QuietMode"] = true,
            },
            cancellationToken: cancellationToken);
        return file;
    }
}
