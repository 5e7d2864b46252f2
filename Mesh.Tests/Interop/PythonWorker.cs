using System.Diagnostics;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Interop;

/// <summary>A worker in Python, written from docs/protocol.md alone. Disposing it kills its process.</summary>
internal sealed class PythonWorker : IAsyncDisposable
{
    private readonly Process _process;

    private PythonWorker(Process process) => _process = process;

    /// <summary>Starts resize_worker.py. Skips the test when there is no Python.</summary>
    public static PythonWorker Start(string id, string host, int port)
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "python3"))), "There is no python3 on the PATH.");
        return new(Process.Start(new ProcessStartInfo("python3", [BuildOutput.Source("Mesh.Tests/Interop/resize_worker.py"), id, host, $"{port}"]))!);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
