using System.Reflection;
using Aspire.Hosting;

namespace MeshAspire.Hosting;

/// <summary>Reads the paths that the build has written into the assembly of the AppHost (<c>eng/AppHost.targets</c>).</summary>
internal static class BuildMetadata
{
    public static string? Find(IDistributedApplicationBuilder builder, string key) => builder.AppHostAssembly?
        .GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(one => one.Key.Equals(key, StringComparison.OrdinalIgnoreCase))?.Value;

    /// <exception cref="DistributedApplicationException">The assembly has no such entry.</exception>
    public static string Get(IDistributedApplicationBuilder builder, string key) => Find(builder, key)
        ?? throw new DistributedApplicationException($"The build of the AppHost left no path for '{key}'. Its project must import eng/AppHost.targets. Build it again.");
}
