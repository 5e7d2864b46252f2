namespace Mesh.Bench.Chaos;

/// <summary>Finds programs on the PATH.</summary>
internal static class ExecutableFinder
{
    /// <summary>Returns the full path of the first of these names that exists, or null. On Windows, the name of the file ends in .exe.</summary>
    public static string? Find(params ReadOnlySpan<string> names)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in names)
        {
            var file = OperatingSystem.IsWindows() ? name + ".exe" : name;
            if (folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists) is { } path)
            {
                return path;
            }
        }

        return null;
    }
}
