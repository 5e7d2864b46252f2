using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ProjectResourceBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
        => builder.AddProject<TProject>(name, launchProfileName: null);

    /// <summary>Adds a project that the AppHost refers to. Launch profiles aren't read here: environment and endpoints are the AppHost's.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new()
    {
        var project = builder.AddResource(new ProjectResource(name)).WithAnnotation<IProjectMetadata>(new TProject());
        return builder.ExecutionContext.IsPublishMode ? project.WithEnvironment(SetPublished) : project;
    }

    /// <summary>Runs the project so many times over, each a process of its own identity.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }

    // What Aspire tells a published project, in its order: behind a platform's proxy it listens where the platform says.
    private static void SetPublished(EnvironmentCallbackContext context)
    {
        var project = (ProjectResource)context.Resource;
        var variables = context.EnvironmentVariables;
        variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
        var endpoints = project.Annotations.OfType<EndpointAnnotation>().ToArray();
        if (endpoints.Length > 0)
        {
            variables["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
        }

        // The endpoint in the middle of one text: several would be a list, which no project here has.
        if (endpoints.SingleOrDefault(endpoint => endpoint.UriScheme == "http") is { } http)
        {
            variables["HTTP_PORTS"] = new EndpointReference(project, http.Name).Property(EndpointProperty.TargetPort);
        }
    }
}
