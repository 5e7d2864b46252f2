using Mesh.Protocol;
using Mesh.Worker.Handlers;

namespace Mesh.Tests.Worker.Handlers;

/// <summary>A handler of RESIZE tasks that the test moves forward. It reports the progress that the test sets, and ends when the test releases it or when it is cancelled.</summary>
internal sealed class SteppingHandler(bool ignoresCancellation = false) : ITaskHandler
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cancellations;

    public TaskType Type { get; } = TaskType.Parse("RESIZE")!.Value;

    /// <summary>The attempt that runs now, or null.</summary>
    public TaskAttempt? Attempt { get; private set; }

    public int Cancellations => Volatile.Read(ref _cancellations);

    public void Release() => _release.TrySetResult();

    public async ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation)
    {
        Attempt = task;
        try
        {
            await (ignoresCancellation ? _release.Task : _release.Task.WaitAsync(cancellation));
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancellations);
            throw;
        }

        return HandlerResult.Done(task.Payload);
    }
}
