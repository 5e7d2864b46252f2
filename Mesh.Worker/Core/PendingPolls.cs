using Mesh.Transport;

namespace Mesh.Worker.Core;

/// <summary>The get_tasks that await an answer on this link, and the pause before the next one.</summary>
internal sealed class PendingPolls(WorkerTiming timing)
{
    // Answers don't say which get_task they answer; any answers the oldest.
    private readonly Queue<TimeSpan> _sentAt = new();
    private int _pauses;

    public int Count => _sentAt.Count;

    /// <summary>No get_task goes out before.</summary>
    public TimeSpan DelayedUntil { get; private set; }

    /// <summary>When the oldest was sent.</summary>
    public TimeSpan Oldest => _sentAt.Peek();

    public void Sent(TimeSpan now) => _sentAt.Enqueue(now);

    /// <summary>Takes one off; how long it was held, or null if none was out.</summary>
    public TimeSpan? RecordAnswer(TimeSpan now) => _sentAt.TryDequeue(out var sentAt) ? now - sentAt : null;

    public void ResetDelay() => _pauses = 0;

    /// <summary>An answer without work: a server that didn't hold it is not asked again at once.</summary>
    public void DelayIfNotHeld(TimeSpan held, TimeSpan now)
    {
        if (held >= timing.MinHoldTime)
        {
            _pauses = 0;
            return;
        }

        Pause(now);
    }

    public void Pause(TimeSpan now) => DelayedUntil = now + new Backoff(timing.MinPollDelay, timing.MaxPollDelay).Delay(++_pauses);

    /// <summary>The link is gone, and its answers with it.</summary>
    public void Forget() => _sentAt.Clear();

    public void Reset()
    {
        Forget();
        _pauses = 0;
        DelayedUntil = TimeSpan.Zero;
    }
}
