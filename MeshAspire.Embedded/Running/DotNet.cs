using System.Runtime.InteropServices;

namespace MeshAspire.Embedded.Running;

internal static class DotNet
{
    /// <summary>The <c>dotnet</c> whose runtime this process runs on, wherever it is installed.</summary>
    public static string Path { get; } = Find();

    /// <summary>Full path of a program on the PATH; null when there is none.</summary>
    public static string? OnPath(string program)
    {
        var file = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => System.IO.Path.Combine(directory, file))
            .FirstOrDefault(File.Exists);
    }

    private static string Find()
    {
        var file = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // {root}/shared/Microsoft.NETCore.App/{version}/
        var root = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var beside = System.IO.Path.Combine(root, file);
        return File.Exists(beside) ? beside : OnPath("dotnet") ?? file;
    }
}
