using System.Reflection;

/// <summary>Reads the paths that the build of the AppHost has written into its assembly.</summary>
internal static class BuildMetadata
{
    public static string? Find(IDistributedApplicationBuilder builder, string key) => builder.AppHostAssembly?
        .GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(one => one.Key.Equals(key, StringComparison.OrdinalIgnoreCase))?.Value;

    /// <exception cref="DistributedApplicationException">The assembly has no such entry.</exception>
    public static string Get(IDistributedApplicationBuilder builder, string key) =>
        Find(builder, key) ?? throw new DistributedApplicationException($"The build of the AppHost left no path for '{key}'. Build it again.");
}
