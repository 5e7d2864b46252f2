using Mesh.Transport;

namespace MeshAspire.Worker.Core;

/// <summary>The get_task messages without an answer on the current link, and the delay before the next one.</summary>
internal sealed class PendingPolls(WorkerTiming timing)
{
    // An answer does not name its get_task, so each answer is matched to the oldest one.
    private readonly Queue<TimeSpan> _sentAt = new();
    private int _pauses;

    public int Count => _sentAt.Count;

    /// <summary>No get_task is sent before this time.</summary>
    public TimeSpan DelayedUntil { get; private set; }

    /// <summary>The time at which the oldest get_task was sent.</summary>
    public TimeSpan Oldest => _sentAt.Peek();

    public void Sent(TimeSpan now) => _sentAt.Enqueue(now);

    /// <summary>Removes the oldest get_task and returns the time since it was sent, or null when none is pending.</summary>
    public TimeSpan? RecordAnswer(TimeSpan now) => _sentAt.TryDequeue(out var sentAt) ? now - sentAt : null;

    public void ResetDelay() => _pauses = 0;

    /// <summary>Called for an answer without a task. Delays the next get_task when the server answered sooner than <see cref="WorkerTiming.MinHoldTime"/>.</summary>
    public void DelayIfNotHeld(TimeSpan held, TimeSpan now)
    {
        if (held >= timing.MinHoldTime)
        {
            _pauses = 0;
            return;
        }

        Pause(now);
    }

    /// <summary>Delays the next get_task. Each further delay is twice as long, until a task arrives or the server holds a get_task.</summary>
    public void Pause(TimeSpan now) => DelayedUntil = now + new Backoff(timing.MinPollDelay, timing.MaxPollDelay).Delay(++_pauses);

    /// <summary>Called when the link is lost: its pending get_tasks get no answer.</summary>
    public void Clear() => _sentAt.Clear();

    public void Reset()
    {
        Clear();
        _pauses = 0;
        DelayedUntil = TimeSpan.Zero;
    }
}
