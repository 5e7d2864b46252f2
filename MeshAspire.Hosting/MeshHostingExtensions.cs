using Aspire.Hosting.ApplicationModel;
using MeshAspire.Hosting.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

/// <summary>Prepares the AppHost of a mesh.</summary>
public static class MeshHostingExtensions
{
    /// <summary>
    /// Configures how an AppHost runs on a developer's machine. Call it first. It changes nothing in what is published.
    /// <list type="bullet">
    /// <item>An invalid setting of the mesh ends the AppHost with exit code 1 and one line on standard error.</item>
    /// <item>The dashboard gets other ports when those of the launch profile are in use, and the keys of a run stay valid, so that two runs work side by side.</item>
    /// <item>The console shows the steps of loans, and warnings and errors of all projects.</item>
    /// <item>At the end, workers and clients stop before the servers, the servers before Redis. The AppHost waits for the end of all processes.</item>
    /// </list>
    /// </summary>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <returns>The same builder.</returns>
    public static IDistributedApplicationBuilder AddMeshDefaults(this IDistributedApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ConfigurationErrors.ExitWithMessage();
        builder.UseFreePorts();
        builder.KeepRunKeys();
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Configuration["DcpPublisher:WaitForResourceCleanup"] ??= "true";
            builder.AddConsoleLogForwarder();
            builder.Services.AddHostedService<OrderedShutdownService>();
        }

        return builder;
    }

    /// <summary>Adds the shared secret of servers, workers and clients as a parameter. When it has no value, one is generated.</summary>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <returns>The builder of the parameter.</returns>
    public static IResourceBuilder<ParameterResource> AddMeshToken(this IDistributedApplicationBuilder builder, [ResourceName] string name = "mesh-token")
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.AddParameter(name, new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true)
            .WithDescription("The shared secret of servers, workers and clients. The maps and the HTTP API require it.");
    }
}
