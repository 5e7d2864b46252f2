using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Core;

/// <summary>The statuses that the current server has not acknowledged, oldest first.</summary>
internal sealed class UnacknowledgedStatuses(WorkerTiming timing)
{
    private readonly List<Pending> _pending = [];

    public int Count => _pending.Count;

    /// <summary>The earliest time at which a status must be sent, or null when there is none.</summary>
    public TimeSpan? DueAt => _pending.Count == 0 ? null : _pending.Min(pending => pending.DueAt);

    public void Add(TaskStatus status) => _pending.Add(new(status));

    /// <summary>Returns the next status to send now and counts it as sent, or returns null.</summary>
    /// <param name="now">The current time.</param>
    /// <param name="repeats">Whether the status is sent again after <see cref="WorkerTiming.StatusResendInterval"/> without an ACK.</param>
    public TaskStatus? TakeDue(TimeSpan now, bool repeats)
    {
        foreach (var pending in _pending)
        {
            if (pending.DueAt <= now)
            {
                pending.Tries++;
                pending.DueAt = repeats ? now + timing.StatusResendInterval : TimeSpan.MaxValue;
                return pending.Status;
            }
        }

        return null;
    }

    /// <summary>Removes the statuses that are due again after <see cref="WorkerTiming.MaxStatusSends"/> sends, and returns their number.</summary>
    public int DropExhausted(TimeSpan now) => _pending.RemoveAll(pending => pending.DueAt <= now && pending.Tries >= timing.MaxStatusSends);

    /// <summary>Removes the status of this task. An ACK without TASK_ID removes the oldest status.</summary>
    public void Acknowledge(TaskId? task)
    {
        var index = task is null ? 0 : _pending.FindIndex(pending => pending.Status.Id == task);
        if (index >= 0 && index < _pending.Count)
        {
            _pending.RemoveAt(index);
        }
    }

    /// <summary>Called when a line exchange ends without an ACK: the status is due at once.</summary>
    public void RecordFailure(TaskStatus status)
    {
        if (_pending.Find(pending => ReferenceEquals(pending.Status, status)) is { } found)
        {
            found.DueAt = TimeSpan.Zero;
        }
    }

    /// <summary>Called when the link is lost: all statuses are due on the next link to the same server.</summary>
    public void ResendAll() => _pending.ForEach(pending => pending.DueAt = TimeSpan.Zero);

    public void Clear() => _pending.Clear();

    private sealed class Pending(TaskStatus status)
    {
        public TaskStatus Status { get; } = status;

        public TimeSpan DueAt { get; set; }

        public int Tries { get; set; }
    }
}
