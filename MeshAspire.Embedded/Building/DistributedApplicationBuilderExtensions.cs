using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class DistributedApplicationBuilderExtensions
{
    /// <summary>A builder for a resource that was added before, found by its name.</summary>
    /// <exception cref="InvalidOperationException">There is none of that name and type.</exception>
    public static IResourceBuilder<T> CreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name)
        where T : IResource
        => builder.Resources.TryGetByName(name, out var resource)
            ? resource is T typed
                ? builder.CreateResourceBuilder(typed)
                : throw new InvalidOperationException($"The resource '{name}' is a {resource.GetType().Name}, not a {typeof(T).Name}.")
            : throw new InvalidOperationException($"There is no resource '{name}'.");
}
