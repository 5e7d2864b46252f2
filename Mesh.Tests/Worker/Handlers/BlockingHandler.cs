using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Worker.Handlers;

namespace Mesh.Tests.Worker.Handlers;

/// <summary>A handler of QUERY tasks that run until the test releases them.</summary>
internal sealed class BlockingHandler : ITaskHandler
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> _starts = Channel.CreateUnbounded<bool>();
    private readonly Lock _lock = new();
    private int _running;
    private int _mostAtATime;

    public TaskType Type => TaskType.Query;

    public int MostAtATime
    {
        get
        {
            lock (_lock)
            {
                return _mostAtATime;
            }
        }
    }

    /// <summary>Waits until that many more tasks have started.</summary>
    public async Task StartedAsync(int count = 1)
    {
        for (var i = 0; i < count; i++)
        {
            await _starts.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().OrFailAsync($"{count} tasks to start; {i} did");
        }
    }

    public void Release() => _release.SetResult();

    public async ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation)
    {
        Count(1);
        _starts.Writer.TryWrite(true);
        try
        {
            await _release.Task.WaitAsync(cancellation);
        }
        finally
        {
            Count(-1);
        }

        return HandlerResult.Done(1);
    }

    private void Count(int change)
    {
        lock (_lock)
        {
            _running += change;
            _mostAtATime = Math.Max(_mostAtATime, _running);
        }
    }
}
