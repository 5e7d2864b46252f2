using static Mesh.Worker.Core.WorkerEffect;

namespace Mesh.Worker.Core;

/// <summary>Leaving a server: for a borrower, for home, for good.</summary>
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

    /// <summary>A worker that stops and has nothing left to run waits for ACKs only briefly: whole meshes are stopped at once, and its server may be gone.</summary>
    private void ShortenStopDrain(TimeSpan now)
    {
        var leaveAt = now + Timing.HandBackTimeout;
        if (_drain is { Next: null } departure && _attempts.AwaitedCount == 0 && leaveAt < departure.LeaveAt)
        {
            _drain = departure with { CancelAt = now, LeaveAt = leaveAt };
        }
    }

    /// <summary>Nothing of the server is in hand any more, or there is no more time for it.</summary>
    private bool IsDrained(Drain departure, TimeSpan now)
    {
        if (now >= departure.LeaveAt)
        {
            return true;
        }

        // Over lines an order or a task may still come as the answer to a get_task that is on its way.
        var asking = UsesLineFraming && _linkState == LinkState.Up && _pendingPolls.Count > 0;
        return _attempts.AwaitedCount == 0 && (departure.IsServerUnreachable || (_unacknowledged.Count == 0 && !asking));
    }

    private void CompleteDrain(Drain departure)
    {
        switch (_linkState)
        {
            case LinkState.Down:
                SwitchServer(departure.Next, departure.TraceParent);
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
        if (_attempts.Abandon() is > 0 and var abandoned)
        {
            Report(new WorkerEvent.AttemptsAbandoned(abandoned));
        }

        if (_unacknowledged.Count > 0)
        {
            Report(new WorkerEvent.StatusesDropped(_unacknowledged.Count));
        }

        _drain = null;
        _unacknowledged.Clear();
        _pendingPolls.Reset();
        _reconnectBackoff.Reset();
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
