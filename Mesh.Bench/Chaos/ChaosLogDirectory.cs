using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>Prepares the directory for the logs of a run and the data of its Redis.</summary>
internal static class ChaosLogDirectory
{
    /// <summary>Creates the directory of --logs unless it exists, and returns its full path. The directory must be empty, because Redis would load the tasks and balances of another run.</summary>
    /// <exception cref="BenchException">The directory is not empty or cannot be written.</exception>
    public static string Prepare(string given)
    {
        if (given.Length == 0)
        {
            throw new BenchException("--logs must name a directory.");
        }

        try
        {
            var directory = Directory.CreateDirectory(given);
            if (directory.EnumerateFileSystemInfos().Any())
            {
                throw new BenchException($"--logs {given} is not empty and may contain the logs and Redis data of another run. Name a new or an empty directory.");
            }

            using var probe = new FileStream(Path.Combine(directory.FullName, "probe"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return directory.FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"--logs {given} cannot be used: {exception.Message}", exception);
        }
    }
}
