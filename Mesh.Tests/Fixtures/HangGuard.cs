using System.Diagnostics;

namespace Mesh.Tests.Fixtures;

/// <summary>Fails a test that would hang. The limit is far above what any step takes, so that a busy machine does not reach it.</summary>
internal static class HangGuard
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="awaited">Completes the sentence "Waited 60 s for …".</param>
    public static async Task OrFailAsync(this Task task, string awaited)
    {
        try
        {
            await task.WaitAsync(Limit, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Waited {Limit.TotalSeconds} s for {awaited}.");
        }
    }

    /// <inheritdoc cref="OrFailAsync(Task, string)"/>
    public static async Task<T> OrFailAsync<T>(this Task<T> task, string awaited)
    {
        await ((Task)task).OrFailAsync(awaited);
        return await task;
    }

    /// <summary>Tests a condition every 10 ms of real time until it holds.</summary>
    /// <inheritdoc cref="OrFailAsync(Task, string)" path="/param"/>
    public static async Task UntilAsync(string awaited, Func<Task<bool>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new TimeoutException($"Waited {Limit.TotalSeconds} s for {awaited}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
