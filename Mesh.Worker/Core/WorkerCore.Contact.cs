using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Worker.Core;

/// <summary>The server found, lost, given up.</summary>
internal sealed partial class WorkerCore
{
    private void OnConnected()
    {
        _linkState = LinkState.Up;
        if (!OverLines)
        {
            Reach();
        }
    }

    private void OnDialFailed(WorkerInput.DialFailed failed, TimeSpan now)
    {
        var closing = _linkState == LinkState.Closing;
        _linkState = LinkState.Down;
        if (failed.SpeaksLines && !_place.IsHome && !OverLines)
        {
            _place = _place with { Framing = Framing.Line };
        }
        else if (!closing)
        {
            LoseContact(failed.Why, now);
        }
    }

    private void OnDisconnected(string why, TimeSpan now)
    {
        _linkState = LinkState.Down;
        _asks.Forget();
        _statuses.Repeat();
        if (_departure is not { } departure || !IsReady(departure, now))
        {
            LoseContact(why, now);
        }
    }

    private void OnExchangeFailed(WorkerInput.ExchangeFailed failed, TimeSpan now)
    {
        switch (failed.Sent)
        {
            case GetTask:
                _asks.Answered(now);
                break;
            case TaskStatus status:
                _statuses.Failed(status);
                break;
            default:
                throw new InvalidOperationException($"A worker does not send {failed.Sent}.");
        }

        // Exchanges run side by side: one outage counts once.
        if (now >= _contact.RetryAt)
        {
            LoseContact(failed.Why, now);
        }
    }

    private void LoseContact(string why, TimeSpan now)
    {
        if (_departure is { ServerIsLost: true })
        {
            return;
        }

        var delay = _contact.Failed(now);
        _reached = false;
        if (_place.IsHome || !_contact.IsLost)
        {
            Tell(new WorkerEvent.OutOfContact(_place, why, _contact.Failures, delay));
            return;
        }

        Tell(new WorkerEvent.GaveUpBorrower(_place));
        _statuses.Clear();
        var next = _departure is { } departure ? departure.Next : _home;
        _departure = new(next, now, now + Timing.HandBackLimit, "the server is lost", ServerIsLost: true);
    }
}
