using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace MeshAspire.Embedded.Running;

/// <summary>What is known of the project whose resources run.</summary>
internal sealed record AppHostProject(string ProjectDirectory, string Name, Assembly? Assembly)
{
    /// <summary>Metadata that the build leaves in the AppHost's assembly.</summary>
    public const string DirectoryKey = "AppHostProjectPath";

    public const string EngineReasonKey = "MeshEngineReason";

    public const string DashboardKey = "MeshDashboardPath";

    /// <summary>The dashboard's program; null when it isn't built.</summary>
    public string? DashboardPath => Metadata(Assembly, DashboardKey) is { } path && File.Exists(path) ? path : null;

    public string? EngineReason => Metadata(Assembly, EngineReasonKey);

    /// <summary>Where the data of a resource outlives a run; two checkouts of one AppHost keep theirs apart.</summary>
    public string DataDirectory(string resource)
    {
        var checkout = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ProjectDirectory)))[..8];
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        return Path.Combine(data, "meshaspire", $"{Name}-{checkout}", resource);
    }

    public static string Directory(Assembly? assembly) =>
        Metadata(assembly, DirectoryKey) is { } directory && System.IO.Directory.Exists(directory) ? directory : AppContext.BaseDirectory;

    private static string? Metadata(Assembly? assembly, string key) =>
        assembly?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(one => one.Key == key)?.Value;
}

