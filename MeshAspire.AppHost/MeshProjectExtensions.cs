#pragma warning disable ASPIREEXTENSION001 // WithLaunchToolArgs is experimental.
#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is experimental.

using Microsoft.Extensions.DependencyInjection;

/// <summary>How the projects of the mesh are run on this machine. Nothing of it is published.</summary>
internal static class MeshProjectExtensions
{
    private const string Dashboard = "aspire-dashboard";

    /// <summary>
    /// Starts the program that the build has made, instead of a <c>dotnet run</c> for each instance, which would stay as its parent with some 130 MB. Without a certificate,
    /// since all of it is plain HTTP on this machine. Its console is written for <see cref="ConsoleLogForwarder"/>, one line an entry.
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
                // An IDE starts, and debugs, the project in its own way.
                ownedByLaunchConfigurationType: "project",
                showInCommandLine: false)
            .WithoutHttpsCertificate()
            .WithEnvironment("Logging__Console__FormatterOptions__SingleLine", "true");
    }

    /// <summary>Tells a server where the dashboard is, so that its map can link to the traces.</summary>
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
