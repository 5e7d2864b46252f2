#pragma warning disable ASPIREEXTENSION001 // WithLaunchToolArgs is experimental.
#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is experimental.

using Microsoft.Extensions.DependencyInjection;

/// <summary>Configures how the projects of the mesh run on the developer's machine. These settings are not published.</summary>
internal static class MeshProjectExtensions
{
    private const string Dashboard = "aspire-dashboard";

    /// <summary>
    /// Starts the built program instead of <c>dotnet run</c>, which would remain as the parent process of each instance with about 130 MB. The program gets no certificate,
    /// because it uses plain HTTP on the local machine. Its console writes one line for each entry, as <see cref="ConsoleLogForwarder"/> requires.
    /// </summary>
    public static IResourceBuilder<ProjectResource> RunBuiltProgram(this IResourceBuilder<ProjectResource> project)
    {
        if (project.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return project;
        }

        var name = Path.GetFileNameWithoutExtension(project.Resource.GetProjectMetadata().ProjectPath);
        var program = Path.GetFullPath(BuildMetadata.Get(project.ApplicationBuilder, name));
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

    /// <summary>Configures the address of the dashboard on a server, so that its map links to the traces.</summary>
    public static IResourceBuilder<ProjectResource> WithDashboardLinks(this IResourceBuilder<ProjectResource> server) => server.WithEnvironment(context =>
    {
        var model = context.ExecutionContext.Services.GetRequiredService<DistributedApplicationModel>();
        if (model.Resources.FirstOrDefault(one => one.Name == Dashboard) is IResourceWithEndpoints dashboard)
        {
            var https = dashboard.GetEndpoint("https");
            context.EnvironmentVariables["Mesh__Dashboard"] = https.Exists ? https : dashboard.GetEndpoint("http");
        }
    });
}
