using System.Reflection;

namespace Mesh.Tests.Publishing;

/// <summary>Where the build left things.</summary>
internal static class BuildOutput
{
    public static string AppHost => Metadata("MeshAspire.AppHost");

    /// <summary>Garnet's program, in NuGet's folder of packages.</summary>
    public static string Garnet => Metadata("garnetpath");

    /// <summary>A file of the repository.</summary>
    public static string Source(string path) => Path.Combine(Metadata("Repository"), path);

    private static string Metadata(string key) =>
        Path.GetFullPath(typeof(BuildOutput).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(one => one.Key == key).Value!);
}
