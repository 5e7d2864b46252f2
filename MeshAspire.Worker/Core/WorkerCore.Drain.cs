using static MeshAspire.Worker.Core.WorkerEffect;

namespace MeshAspire.Worker.Core;

/// <summary>Drains the worker before it leaves a server: for a borrower, for its home or because it stops.</summary>
internal sealed partial class WorkerCore
{
    private void OnStop(TimeSpan now)
    {
        if (_drain is { IsServerUnreachable: true } lost)
        {
            _drain = lost with { Next = null };
        }
        else if (_drain is not { Next: null })
        {
            BeginDrain(null, _options.StopTimeout, now, "the worker is stopping");
        }
    }

    private void BeginDrain(ServerTarget? next, TimeSpan limit, TimeSpan now, string reason, string? trace = null) =>
        _drain = new(next, now + limit, now + limit + Timing.HandBackTimeout, reason, trace);

    /// <summary>Limits the wait for ACKs to <see cref="WorkerTiming.HandBackTimeout"/> when the worker stops and runs no task. The server may have stopped at the same time.</summary>
    private void ShortenStopDrain(TimeSpan now)
    {
        var leaveAt = now + Timing.HandBackTimeout;
        if (_drain is { Next: null } drain && _attempts.AwaitedCount == 0 && leaveAt < drain.LeaveAt)
        {
            _drain = drain with { CancelAt = now, LeaveAt = leaveAt };
        }
    }

    /// <summary>Returns whether the worker can leave: no task, status or poll of the server is open, or <see cref="Drain.LeaveAt"/> has passed.</summary>
    private bool IsDrained(Drain drain, TimeSpan now)
    {
        if (now >= drain.LeaveAt)
        {
            return true;
        }

        // Over lines, the answer to a pending get_task may still be a task.
        var asking = UsesLineFraming && _linkState == LinkState.Up && _pendingPolls.Count > 0;
        return _attempts.AwaitedCount == 0 && (drain.IsServerUnreachable || (_unacknowledged.Count == 0 && !asking));
    }

    private void CompleteDrain(Drain drain)
    {
        switch (_linkState)
        {
            case LinkState.Down:
                SwitchServer(drain.Next, drain.TraceParent);
                break;
            case LinkState.Up when drain.Next is { } next && !UsesLineFraming:
                // The worker does not wait for the end of the connection, because it ignores all that still arrives over it.
                Close();
                _linkState = LinkState.Down;
                SwitchServer(next, drain.TraceParent);
                break;
            case LinkState.Dialing or LinkState.Up:
                Close();
                break;
            case LinkState.Closing:
                break;
            default:
                throw new InvalidOperationException($"Cannot leave in state {_linkState}.");
        }
    }

    private void Close()
    {
        _linkState = LinkState.Closing;
        _effects.Add(new Close(_link));
    }

    private void SwitchServer(ServerTarget? next, string? trace)
    {
        var abandoned = _attempts.Abandon();
        abandoned.ForEach(RunningReports.Remove);
        ReportAbandoned(abandoned.Count);

        if (_unacknowledged.Count > 0)
        {
            Report(new WorkerEvent.StatusesDropped(_unacknowledged.Count));
        }

        _drain = null;
        _unacknowledged.Clear();
        _pendingPolls.Reset();
        _reconnectBackoff.Reset();
        _running.OnConnectionLost();
        _reached = false;
        if (next is null)
        {
            _linkState = LinkState.Ended;
            _effects.Add(new Stopped());
        }
        else
        {
            _serverTarget = next;
            _pollTraceParent = _reachedTraceParent = trace;
            _getTask = CreatePoll(next);
        }
    }
}

/// <summary>The state of a worker that is about to leave its server: it polls no more, completes its tasks and leaves.</summary>
/// <param name="Next">The next server; null when the worker stops.</param>
/// <param name="CancelAt">The time at which running tasks are cancelled.</param>
/// <param name="LeaveAt">The time at which the worker leaves, whatever is still open.</param>
/// <param name="Reason">The ERROR of tasks that are handed back.</param>
/// <param name="TraceParent">The W3C trace context of the REDIRECT or RETURN.</param>
/// <param name="IsServerUnreachable">Whether the server is abandoned, so that nothing can be delivered to it.</param>
internal sealed record Drain(ServerTarget? Next, TimeSpan CancelAt, TimeSpan LeaveAt, string Reason, string? TraceParent = null, bool IsServerUnreachable = false)
{
    /// <summary>The time before <see cref="LeaveAt"/> at which the tasks of handlers that have not ended are handed back, so that the server can acknowledge that.</summary>
    private static readonly TimeSpan AckTime = TimeSpan.FromSeconds(1);

    /// <summary>The time at which the attempts that have not ended are abandoned.</summary>
    public TimeSpan AbandonAt => CancelAt > LeaveAt - AckTime ? CancelAt : LeaveAt - AckTime;
}
