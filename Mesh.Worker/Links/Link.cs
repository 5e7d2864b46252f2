using Mesh.Protocol;
using Mesh.Worker.Core;

namespace Mesh.Worker.Links;

/// <summary>The worker's way to one server. All that happens on it is posted as inputs of its number, the last one its end.</summary>
internal abstract class Link(int number, Func<WorkerInput, ValueTask> post) : IDisposable
{
    private readonly CancellationTokenSource _closing = new();

    protected int Number { get; } = number;

    protected CancellationToken Closing => _closing.Token;

    /// <summary>Opens it and takes what comes, until its end is posted.</summary>
    public abstract Task RunAsync();

    public abstract void Send(MeshMessage message);

    /// <summary>Begins the end.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>Once it has ended.</summary>
    public void Dispose() => _closing.Dispose();

    protected ValueTask PostAsync(WorkerInput input) => post(input);
}
