using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Client;

/// <summary>Fake time that advances to the end of each timer as soon as the code waits for it. Timers of <see cref="Never"/> and longer do not advance it.</summary>
internal sealed class AutoAdvanceTimeProvider : FakeTimeProvider
{
    public static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private readonly List<TimeSpan> _waits = [];

    /// <summary>The times that the code has waited.</summary>
    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_waits)
            {
                return [.. _waits];
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime >= TimeSpan.Zero && dueTime < Never)
        {
            lock (_waits)
            {
                _waits.Add(dueTime);
            }

            ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
        }

        return timer;
    }
}
