using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>
/// Decides when RUNNING is sent for each attempt, and which RUNNING an answer belongs to. A RUNNING is not kept like a final status: when it is lost, the next one follows after
/// the interval. Only tasks with a TASK_ID are reported, because a server that sends none does not know RUNNING.
/// </summary>
/// <param name="interval">The time between two RUNNING of one attempt.</param>
internal sealed class RunningReports(TimeSpan interval)
{
    /// <summary>The attempts in the order of <see cref="Attempts.Attempt.ReportDueAt"/>. All have the same interval, so a new time goes to the end.</summary>
    private readonly LinkedList<Attempts.Attempt> _byDue = [];

    /// <summary>
    /// The tasks with a RUNNING that was not answered on the current WebSocket. The server answers RUNNING before it answers a later status of the same task, so the first ACK of
    /// such a task is that of the RUNNING.
    /// </summary>
    private readonly HashSet<TaskId> _unanswered = [];

    private bool _isRefused;

    /// <summary>The time at which the next RUNNING is sent, or null when there is none.</summary>
    public TimeSpan? DueAt => _isRefused ? null : _byDue.First?.Value.ReportDueAt;

    /// <summary>Whether a RUNNING on the current WebSocket was not answered.</summary>
    public bool HasUnanswered => _unanswered.Count > 0;

    public void Add(Attempts.Attempt attempt, TimeSpan now)
    {
        if (attempt.Task.Id is not null)
        {
            Schedule(attempt, now);
        }
    }

    /// <summary>Removes an attempt that has ended, that is cancelled by the server or that is abandoned.</summary>
    public static void Remove(Attempts.Attempt attempt) => attempt.ReportNode.List?.Remove(attempt.ReportNode);

    /// <summary>Returns the next attempt to report now, or null. The next RUNNING of the attempt follows after the interval.</summary>
    /// <param name="isExchange">Whether each RUNNING has a connection of its own. On a WebSocket an attempt has at most one RUNNING without an answer.</param>
    public Attempts.Attempt? TakeDue(TimeSpan now, bool isExchange)
    {
        while (DueAt <= now)
        {
            var attempt = _byDue.First!.Value;
            _byDue.RemoveFirst();
            Schedule(attempt, now);
            if (isExchange || _unanswered.Add(attempt.Task.Id!.Value))
            {
                return attempt;
            }
        }

        return null;
    }

    /// <summary>Returns the task whose RUNNING an ACK on a WebSocket answers, or null when it answers a final status. An ACK without TASK_ID answers a RUNNING if there is one.</summary>
    public TaskId? Acknowledge(TaskId? task)
    {
        if (task is not null)
        {
            return _unanswered.Remove(task.Value) ? task : null;
        }

        foreach (var any in _unanswered)
        {
            _unanswered.Remove(any);
            return any;
        }

        return null;
    }

    /// <summary>Called when the server answers a RUNNING with an error. It gets no more of them on this connection.</summary>
    public void Refuse()
    {
        _isRefused = true;
        _unanswered.Clear();
    }

    /// <summary>Called when the connection is lost. All attempts are reported at once on the next one, because the server may have restarted and can resume them.</summary>
    public void OnConnectionLost()
    {
        _isRefused = false;
        _unanswered.Clear();
        foreach (var attempt in _byDue)
        {
            attempt.ReportDueAt = TimeSpan.Zero;
        }
    }

    private void Schedule(Attempts.Attempt attempt, TimeSpan now)
    {
        attempt.ReportDueAt = now + interval;
        _byDue.AddLast(attempt.ReportNode);
    }
}
