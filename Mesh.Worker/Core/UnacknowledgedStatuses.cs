using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Worker.Core;

/// <summary>The statuses that the server at hand has not acknowledged, oldest first.</summary>
internal sealed class UnacknowledgedStatuses(WorkerTiming timing)
{
    private readonly List<Pending> _pending = [];

    public int Count => _pending.Count;

    /// <summary>When the first of them is due to be sent, or null.</summary>
    public TimeSpan? DueAt => _pending.Count == 0 ? null : _pending.Min(pending => pending.DueAt);

    public void Add(TaskStatus status) => _pending.Add(new(status));

    /// <summary>The next one to send now, counted as sent, or null.</summary>
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

    /// <summary>Drops those that are due once more after their last try; how many.</summary>
    public int DropExhausted(TimeSpan now) => _pending.RemoveAll(pending => pending.DueAt <= now && pending.Tries >= timing.MaxStatusSends);

    /// <summary>An ACK without TASK_ID acknowledges the oldest.</summary>
    public void Acknowledge(TaskId? task)
    {
        var index = task is null ? 0 : _pending.FindIndex(pending => pending.Status.Id == task);
        if (index >= 0 && index < _pending.Count)
        {
            _pending.RemoveAt(index);
        }
    }

    /// <summary>Over lines: this status brought no ACK.</summary>
    public void RecordFailure(TaskStatus status)
    {
        if (_pending.Find(pending => ReferenceEquals(pending.Status, status)) is { } found)
        {
            found.DueAt = TimeSpan.Zero;
        }
    }

    /// <summary>A new link to the same server: all of them are due.</summary>
    public void ResendAll() => _pending.ForEach(pending => pending.DueAt = TimeSpan.Zero);

    public void Clear() => _pending.Clear();

    private sealed class Pending(TaskStatus status)
    {
        public TaskStatus Status { get; } = status;

        public TimeSpan DueAt { get; set; }

        public int Tries { get; set; }
    }
}
