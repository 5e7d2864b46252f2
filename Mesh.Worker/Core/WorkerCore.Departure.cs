using static Mesh.Worker.Core.WorkerEffect;

namespace Mesh.Worker.Core;

/// <summary>Leaving a server: for a borrower, for home, for good.</summary>
internal sealed partial class WorkerCore
{
    private void OnStop(TimeSpan now)
    {
        if (_departure is { ServerIsLost: true } lost)
        {
            _departure = lost with { Next = null };
        }
        else if (_departure is not { Next: null })
        {
            Depart(null, Timing.StopLimit, now, "the worker is stopping");
        }
    }

    private void Depart(Place? next, TimeSpan limit, TimeSpan now, string reason, string? trace = null) =>
        _departure = new(next, now + limit, now + limit + Timing.HandBackLimit, reason, trace);

    /// <summary>A worker that stops and has nothing left to run waits for ACKs only briefly: whole meshes are stopped at once, and its server may be gone.</summary>
    private void HurryToStop(TimeSpan now)
    {
        var leaveAt = now + Timing.HandBackLimit;
        if (_departure is { Next: null } departure && _attempts.Awaited == 0 && leaveAt < departure.LeaveAt)
        {
            _departure = departure with { CancelAt = now, LeaveAt = leaveAt };
        }
    }

    /// <summary>Nothing of the server is in hand any more, or there is no more time for it.</summary>
    private bool IsReady(Departure departure, TimeSpan now)
    {
        if (now >= departure.LeaveAt)
        {
            return true;
        }

        // Over lines an order or a task may still come as the answer to a get_task that is on its way.
        var asking = OverLines && _linkState == LinkState.Up && _asks.Count > 0;
        return _attempts.Awaited == 0 && (departure.ServerIsLost || (_statuses.Count == 0 && !asking));
    }

    private void Leave(Departure departure)
    {
        switch (_linkState)
        {
            case LinkState.Down:
                Arrive(departure.Next, departure.TraceParent);
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

    private void Arrive(Place? next, string? trace)
    {
        if (_attempts.Abandon() is > 0 and var abandoned)
        {
            Tell(new WorkerEvent.Abandoned(abandoned));
        }

        if (_statuses.Count > 0)
        {
            Tell(new WorkerEvent.GaveUpStatuses(_statuses.Count));
        }

        _departure = null;
        _statuses.Clear();
        _asks.Reset();
        _contact.Good();
        _reached = false;
        if (next is null)
        {
            _linkState = LinkState.Ended;
            _effects.Add(new Stopped());
        }
        else
        {
            _place = next;
            _moveTrace = _reachTrace = trace;
            _getTask = GetTaskAt(next);
        }
    }
}
