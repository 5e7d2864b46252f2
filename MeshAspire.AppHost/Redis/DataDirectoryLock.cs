using Microsoft.Extensions.Hosting;

/// <summary>Holds data for this run of the AppHost: two servers on one append-only file would destroy it. The system releases the lock with the process, however that ends.</summary>
/// <remarks>A hosted service, so that the application disposes it at its end, when Redis has stopped.</remarks>
internal sealed class DataDirectoryLock : IHostedService, IDisposable
{
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <returns>Null when another run holds it.</returns>
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

/// <summary>A directory for a run that keeps no data. Deleted at the end of the application.</summary>
internal sealed class TemporaryDataDirectory : IHostedService, IDisposable
{
    public DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("meshaspire-");

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => Directory.Delete(recursive: true);
}
