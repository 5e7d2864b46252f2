using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>Where the logs of a run and the data of its Redis are kept.</summary>
internal static class ChaosLogDirectory
{
    /// <summary>Makes the directory of --logs unless it is there. One with something in it is refused: its Redis would take up another run's tasks and balances.</summary>
    /// <exception cref="BenchException">It can't be used.</exception>
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
                throw new BenchException($"--logs {given} is not empty: it may hold another run's logs and Redis data. Name a new or an empty directory.");
            }

            using var probe = new FileStream(Path.Combine(directory.FullName, "probe"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return directory.FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"--logs {given} can't be used: {exception.Message}", exception);
        }
    }
}
