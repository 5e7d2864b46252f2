using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Mesh.Common;

/// <summary>Reads configuration from a directory with a file for each key. Container platforms mount secrets in this form.</summary>
public static class SecretsDirectory
{
    public const string Key = "Mesh:SecretsDirectory";

    /// <summary>
    /// Adds the directory that Mesh__SecretsDirectory names, if any. A file named Mesh__Token has the value of that key. The files override environment variables and are read again
    /// when they change.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The directory does not exist.</exception>
    public static void AddSecretsDirectory(this IHostApplicationBuilder builder)
    {
        if (builder.Configuration[Key] is not { Length: > 0 } directory)
        {
            return;
        }

        var path = Path.GetFullPath(directory);
        builder.Configuration.AddKeyPerFile(source =>
        {
            // The directory is polled, because replacing a symbolic link, as platforms do, raises no file system event in it.
            source.FileProvider = Directory.Exists(path)
                ? new PhysicalFileProvider(path) { UsePollingFileWatcher = true, UseActivePolling = true }
                : throw new DirectoryNotFoundException($"Mesh__SecretsDirectory: the directory {path} does not exist.");
            source.ReloadOnChange = true;
        });
    }
}
