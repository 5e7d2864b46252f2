using Microsoft.Extensions.Hosting;

namespace MeshAspire.Hosting.Redis;

/// <summary>Locks a data directory for one run of the AppHost, because two servers would destroy an append-only file. The operating system releases the lock when the process ends.</summary>
/// <remarks>It is a hosted service, so that the application disposes it after Redis has stopped.</remarks>
internal sealed class DataDirectoryLock : IHostedService, IDisposable
{
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <summary>Locks the directory.</summary>
    /// <returns>The lock, or null when another run holds it.</returns>
    public static DataDirectoryLock? TryAcquire(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        try
        {
            return new DataDirectoryLock(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _file.Dispose();
}

/// <summary>A temporary data directory, for a run that does not keep its data. It is deleted when the application ends.</summary>
internal sealed class TemporaryDataDirectory : IHostedService, IDisposable
{
    public DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("meshaspire-");

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => Directory.Delete(recursive: true);
}
