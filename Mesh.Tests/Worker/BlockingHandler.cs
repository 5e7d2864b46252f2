using Mesh.Protocol;
using Mesh.Worker.Handlers;

namespace Mesh.Tests.Worker;

/// <summary>A QUERY that ends when the test lets it.</summary>
internal sealed class BlockingHandler : ITaskHandler
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    public TaskType Type => TaskType.Query;

    public int MostAtATime { get; private set; }

    public Task StartedAsync => _started.Task;

    public void Release() => _release.SetResult();

    public async ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation)
    {
        MostAtATime = Math.Max(MostAtATime, Interlocked.Increment(ref _running));
        _started.TrySetResult();
        await _release.Task.WaitAsync(cancellation);
        Interlocked.Decrement(ref _running);
        return HandlerResult.Done(1);
    }
}
