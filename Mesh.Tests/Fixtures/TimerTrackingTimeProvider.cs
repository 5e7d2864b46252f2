using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Fixtures;

/// <summary>Fake time that reports which timers the tested code creates, so that a test advances the time only when the code waits for it.</summary>
internal sealed class TimerTrackingTimeProvider : FakeTimeProvider
{
    private readonly List<(TimeSpan Due, TaskCompletionSource Created)> _awaited = [];

    /// <summary>Completes when the code creates a timer with this due time. Timers created before the call do not count.</summary>
    public Task NextTimerAsync(TimeSpan due)
    {
        var created = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            _awaited.Add((due, created));
        }

        return created.Task.OrFailAsync($"a timer of {due}");
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_awaited)
        {
            foreach (var (_, created) in _awaited.Where(one => one.Due == dueTime))
            {
                created.TrySetResult();
            }

            _awaited.RemoveAll(one => one.Due == dueTime);
        }

        return timer;
    }
}
