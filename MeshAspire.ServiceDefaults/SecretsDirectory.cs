using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Mesh.Configuration;

/// <summary>Configuration from a directory with a file for each key, as container platforms mount secrets.</summary>
public static class SecretsDirectory
{
    public const string Key = "Mesh:SecretsDirectory";

    /// <summary>
    /// Reads the directory that Mesh__SecretsDirectory names, if any, and again when it changes: a file named Mesh__Token holds the value of that key. It goes before environment variables.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">There is none of that name.</exception>
    public static void AddSecretsDirectory(this IHostApplicationBuilder builder)
    {
        if (builder.Configuration[Key] is not { Length: > 0 } directory)
        {
            return;
        }

        var path = Path.GetFullPath(directory);
        builder.Configuration.AddKeyPerFile(source =>
        {
            // Asked every few seconds: where a platform swaps a link for another, nothing in the directory changes that could be watched.
            source.FileProvider = Directory.Exists(path)
                ? new PhysicalFileProvider(path) { UsePollingFileWatcher = true, UseActivePolling = true }
                : throw new DirectoryNotFoundException($"Mesh__SecretsDirectory: there is no directory {path}.");
            source.ReloadOnChange = true;
        });
    }
}
