#pragma warning disable ASPIREEXTENSION001 // WithLaunchToolArgs is experimental.
#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is experimental.

using Aspire.Hosting.ApplicationModel;
using MeshAspire.Hosting;
using MeshAspire.Hosting.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

/// <summary>Configures how projects run on the developer's machine. These settings are not published.</summary>
public static class MeshProjectBuilderExtensions
{
    private const string Dashboard = "aspire-dashboard";

    /// <summary>
    /// Starts the built program instead of <c>dotnet run</c>, which would remain as the parent process of each instance with about 130 MB. The program gets no certificate,
    /// because it uses plain HTTP on the local machine. Its console writes one line for each entry, as <see cref="ConsoleLogForwarder"/> requires. Servers and workers of a mesh
    /// are started in this way; call it for the other projects of the application.
    /// </summary>
    /// <remarks>The project of the AppHost must import <c>eng/AppHost.targets</c>, which writes the path of each referenced project's program into the assembly.</remarks>
    /// <param name="project">The project.</param>
    /// <returns>The builder of the project.</returns>
    /// <exception cref="DistributedApplicationException">The AppHost does not know where the program is.</exception>
    public static IResourceBuilder<ProjectResource> WithBuiltProgram(this IResourceBuilder<ProjectResource> project)
    {
        ArgumentNullException.ThrowIfNull(project);
        if (project.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return project;
        }

        var program = BuildMetadata.Get(project.ApplicationBuilder, Path.GetFullPath(project.Resource.GetProjectMetadata().ProjectPath));
        return project
            .WithLaunchToolArgs(
                context =>
                {
                    context.Args.Add("exec");
                    context.Args.Add(program);
                },
                // An IDE starts and debugs the project itself.
                ownedByLaunchConfigurationType: "project",
                showInCommandLine: false)
            .WithoutHttpsCertificate()
            .WithEnvironment("Logging__Console__FormatterOptions__SingleLine", "true");
    }

    /// <summary>Writes the address of an endpoint to the console when the resource is ready, for a page that the user opens.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="resource">The resource.</param>
    /// <param name="endpointName">The name of the endpoint.</param>
    /// <returns>The builder of the resource.</returns>
    public static IResourceBuilder<T> WithAddressOnConsole<T>(this IResourceBuilder<T> resource, [EndpointName] string endpointName = "http")
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(resource);
        return resource.OnResourceReady((ready, news, _) =>
        {
            var console = news.Services.GetService<TextWriter>() ?? Console.Out;
            return console.WriteLineAsync(ConsoleLogForwarder.Format(ready.Name, $"Ready at {ready.GetEndpoint(endpointName).Url}"));
        });
    }

    /// <summary>Configures the address of the dashboard on a server, so that its map links to the traces.</summary>
    internal static IResourceBuilder<ProjectResource> WithDashboardLinks(this IResourceBuilder<ProjectResource> server) => server.WithEnvironment(context =>
    {
        var model = context.ExecutionContext.Services.GetRequiredService<DistributedApplicationModel>();
        if (model.Resources.FirstOrDefault(one => one.Name == Dashboard) is IResourceWithEndpoints dashboard)
        {
            var https = dashboard.GetEndpoint("https");
            context.EnvironmentVariables["Mesh__Dashboard"] = https.Exists ? https : dashboard.GetEndpoint("http");
        }
    });
}
