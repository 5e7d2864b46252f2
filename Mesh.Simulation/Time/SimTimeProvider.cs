namespace Mesh.Simulation.Time;

/// <summary>The time of one process: its own clock, with timers that fire in its context.</summary>
internal sealed class SimTimeProvider(Scheduler scheduler, NodeClock clock, SimContext context) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => clock.Elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => clock.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer(SimTimeProvider time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>The number of the last change: what was scheduled before it does nothing.</summary>
        private int _change;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Schedule(++_change, dueTime, period);
            return true;
        }

        public void Dispose() => _change++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        private void Schedule(int change, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                time.Schedule(dueTime, () => Fire(change, period));
            }
        }

        private void Fire(int change, TimeSpan period)
        {
            if (change != _change)
            {
                return;
            }

            if (period != TimeSpan.Zero)
            {
                Schedule(change, period, period);
            }

            callback(state);
        }
    }

    private void Schedule(TimeSpan wait, Action action)
    {
        if (!context.HasEnded)
        {
            scheduler.At(clock.ToSchedulerTime(clock.Elapsed + wait), () => context.Run(action));
        }
    }
}
