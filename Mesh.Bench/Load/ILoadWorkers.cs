using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Load;

/// <summary>The workers of a run. Disposing disconnects them.</summary>
internal interface ILoadWorkers : IAsyncDisposable
{
    /// <summary>Connects all workers.</summary>
    Task ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Runs tasks until the token is cancelled.</summary>
    /// <exception cref="BenchException">A worker failed.</exception>
    Task RunAsync(CancellationToken cancellationToken);
}
