using System.Threading.Channels;
using Mesh.Tests.Fixtures;
using MeshAspire.Worker;

namespace Mesh.Tests.Worker.Handlers;

/// <summary>A handler of QUERY tasks that run until the test releases them.</summary>
internal sealed class BlockingHandler
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> _starts = Channel.CreateUnbounded<bool>();
    private readonly Lock _lock = new();
    private int _running;
    private int _mostAtATime;

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

    public void AddTo(MeshWorkerBuilder worker) => worker.AddHandler<object?, int>("QUERY", HandleAsync);

    public void Release() => _release.SetResult();

    private async Task<int> HandleAsync(object? payload, TaskContext context)
    {
        Count(1);
        _starts.Writer.TryWrite(true);
        try
        {
            await _release.Task.WaitAsync(context.CancellationToken);
        }
        finally
        {
            Count(-1);
        }

        return 1;
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
