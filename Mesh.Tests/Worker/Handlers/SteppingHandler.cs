using System.Text.Json;
using MeshAspire.Worker;

namespace Mesh.Tests.Worker.Handlers;

/// <summary>A handler of RESIZE tasks that the test moves forward. It reports the progress that the test sets, and ends when the test releases it or when it is cancelled.</summary>
internal sealed class SteppingHandler(bool ignoresCancellation = false)
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cancellations;

    /// <summary>The attempt that runs now, or null.</summary>
    public TaskContext? Attempt { get; private set; }

    public int Cancellations => Volatile.Read(ref _cancellations);

    public void AddTo(MeshWorkerBuilder worker) => worker.AddHandler<JsonElement?, JsonElement?>("RESIZE", HandleAsync);

    public void Release() => _release.TrySetResult();

    private async Task<JsonElement?> HandleAsync(JsonElement? payload, TaskContext context)
    {
        Attempt = context;
        try
        {
            await (ignoresCancellation ? _release.Task : _release.Task.WaitAsync(context.CancellationToken));
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancellations);
            throw;
        }

        return payload;
    }
}
