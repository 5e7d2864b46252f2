using System.Reflection;

namespace Mesh.Tests.Publishing;

/// <summary>Paths of what the build makes, and of the repository.</summary>
internal static class BuildOutput
{
    public static string AppHost => Metadata("MeshAspire.AppHost");

    /// <summary>The program of Garnet, in the package folder of NuGet.</summary>
    public static string Garnet => Metadata("garnetpath");

    /// <summary>A file of the repository.</summary>
    public static string Source(string path) => Path.Combine(Metadata("Repository"), path);

    private static string Metadata(string key) =>
        Path.GetFullPath(typeof(BuildOutput).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(one => one.Key == key).Value!);
}
