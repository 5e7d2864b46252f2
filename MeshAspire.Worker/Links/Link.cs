using Mesh.Protocol;
using MeshAspire.Worker.Core;

namespace MeshAspire.Worker.Links;

/// <summary>The connection of the worker to one server. It posts what happens as inputs with its number. The last input is <c>DialFailed</c> or <c>Disconnected</c>.</summary>
internal abstract class Link(int number, Func<WorkerInput, ValueTask> post) : IDisposable
{
    private readonly CancellationTokenSource _closing = new();

    protected int Number { get; } = number;

    protected CancellationToken Closing => _closing.Token;

    /// <summary>Connects and receives until the link ends, and posts its end.</summary>
    public abstract Task RunAsync();

    public abstract void Send(MeshMessage message);

    /// <summary>Starts to close the link. Messages that are queued are sent first.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>Called after <see cref="RunAsync"/> has completed.</summary>
    public void Dispose() => _closing.Dispose();

    protected ValueTask PostAsync(WorkerInput input) => post(input);
}
