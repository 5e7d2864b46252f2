using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Core;

/// <summary>Handles the connection to the current server: established, failed, lost and abandoned.</summary>
internal sealed partial class WorkerCore
{
    private void OnConnected()
    {
        _linkState = LinkState.Up;
        if (!UsesLineFraming)
        {
            ReportReached();
        }
    }

    private void OnDialFailed(WorkerInput.DialFailed failed, TimeSpan now)
    {
        var closing = _linkState == LinkState.Closing;
        _linkState = LinkState.Down;
        if (failed.SupportsOnlyLines && !_serverTarget.IsHome && !UsesLineFraming)
        {
            _serverTarget = _serverTarget with { Framing = Framing.Line };
        }
        else if (!closing)
        {
            OnConnectionFailure(failed.Why, now);
        }
    }

    private void OnDisconnected(string why, TimeSpan now)
    {
        _linkState = LinkState.Down;
        _pendingPolls.Clear();
        _unacknowledged.ResendAll();
        _running.OnConnectionLost();
        if (_drain is not { } drain || !IsDrained(drain, now))
        {
            OnConnectionFailure(why, now);
        }
    }

    private void OnExchangeFailed(WorkerInput.ExchangeFailed failed, TimeSpan now)
    {
        switch (failed.Sent)
        {
            case GetTask:
                _pendingPolls.RecordAnswer(now);
                break;
            case TaskStatus { Outcome: TaskOutcome.Running }:
                _running.OnConnectionLost();
                break;
            case TaskStatus status:
                _unacknowledged.RecordFailure(status);
                break;
            default:
                throw new InvalidOperationException($"A worker does not send {failed.Sent}.");
        }

        // Exchanges run in parallel, so several of them fail in one outage. The outage counts once.
        if (now >= _reconnectBackoff.RetryAt)
        {
            OnConnectionFailure(failed.Why, now);
        }
    }

    private void OnConnectionFailure(string why, TimeSpan now)
    {
        if (_drain is { IsServerUnreachable: true })
        {
            return;
        }

        var delay = _reconnectBackoff.RecordFailure(now);
        _reached = false;
        if (_serverTarget.IsHome || !_reconnectBackoff.IsBorrowerTimedOut)
        {
            Report(new WorkerEvent.ServerUnreachable(_serverTarget, why, _reconnectBackoff.Failures, delay));
            return;
        }

        Report(new WorkerEvent.BorrowerAbandoned(_serverTarget));
        _unacknowledged.Clear();
        var next = _drain is { } drain ? drain.Next : _home;
        _drain = new(next, now, now + Timing.HandBackTimeout, "the server is unreachable", IsServerUnreachable: true);
    }
}
