namespace Aspire.Hosting.ApplicationModel;

public abstract class Resource : IResource
{
    protected Resource(string name)
    {
        ResourceName.ThrowIfInvalid(name);
        Name = name;
    }

    public virtual string Name { get; }

    public virtual ResourceAnnotationCollection Annotations { get; } = [];
}

public class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

public class ContainerResource(string name, string? entrypoint = null)
    : Resource(name), IResourceWithEnvironment, IResourceWithEndpoints, IResourceWithWaitSupport
{
    public string? Entrypoint { get; set; } = entrypoint;

    /// <summary>What the container is where there are containers; null where it can't be published.</summary>
    internal virtual ContainerDescription? Describe() => null;
}

internal sealed record ContainerDescription(string Image, IReadOnlyList<string> Arguments, IReadOnlyList<ContainerVolume> Volumes);

internal sealed record ContainerVolume(string Name, string Target);

internal static class ResourceName
{
    /// <summary>Throws unless the name can be a host name: letters, digits and single hyphens, at most 64 of them, a letter first.</summary>
    public static void ThrowIfInvalid(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var valid = name.Length <= 64
            && char.IsAsciiLetter(name[0])
            && name[^1] != '-'
            && !name.Contains("--", StringComparison.Ordinal)
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
        if (!valid)
        {
            throw new ArgumentException(
                $"'{name}' can't name a resource: at most 64 ASCII letters, digits and single hyphens, a letter first, no hyphen last.", nameof(name));
        }
    }
}
