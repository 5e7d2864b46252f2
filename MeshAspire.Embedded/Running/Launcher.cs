using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Redis;

namespace MeshAspire.Embedded.Running;

/// <summary>How a resource is started.</summary>
internal sealed class Launcher(EnvironmentComposer environment, RedisLauncher redis)
{
    /// <summary>The process to start; null for a resource that runs elsewhere.</summary>
    /// <exception cref="DistributedApplicationException">It can't be started; the message says why.</exception>
    public async Task<ProcessSpec?> SpecAsync(IResource resource, string instance, CancellationToken cancellationToken)
    {
        var variables = await environment.ComposeAsync(resource, instance, cancellationToken);
        return resource switch
        {
            RedisResource one => await redis.SpecAsync(one, variables, cancellationToken),
            ProjectResource project => Project(project, variables),
            _ => throw new DistributedApplicationException($"{resource.Name} can't start: the engine Embedded can't run a {resource.GetType().Name}."),
        };
    }

    private static ProcessSpec Project(ProjectResource project, IReadOnlyDictionary<string, string> variables)
    {
        var metadata = project.Annotations.OfType<IProjectMetadata>().Single();
        var output = metadata.GetType().GetCustomAttribute<ProjectOutputAttribute>() is { Path: var path }
            ? Path.GetFullPath(path, AppContext.BaseDirectory)
            : null;
        if (!File.Exists(output))
        {
            throw new DistributedApplicationException(
                $"{project.Name} can't start: {metadata.ProjectPath} isn't built ({output ?? "no output"} is missing). Build the AppHost, which builds it too.");
        }

        // Configuration files and content are found beside the project, as with dotnet run.
        return new ProcessSpec(DotNet.Path, ["exec", output], Path.GetDirectoryName(metadata.ProjectPath)!, variables);
    }
}
