using Mesh.Protocol;
using static MeshAspire.Worker.Core.WorkerEffect;

namespace MeshAspire.Worker.Core;

/// <summary>
/// The state machine of a worker, without I/O. It takes an input and the current time and returns effects (docs/protocol.md, "The task cycle" and "A loan, step by step").
/// It uses one link at a time, so it communicates with one server at a time. A WebSocket that it leaves is closed while it dials the next server. It leaves a server when no task of
/// that server is open or its time limit is over.
/// The times are those of any monotonic clock.
/// </summary>
internal sealed partial class WorkerCore
{
    // The number of unacknowledged statuses beyond the concurrency at which the worker stops polling.
    private const int ExtraPendingStatuses = 16;

    private readonly MeshWorkerSettings _options;
    private readonly TaskTypeSet _handles;
    private readonly RedirectPolicy _redirects;
    private readonly List<WorkerEffect> _effects = [];
    private readonly ServerTarget _home;
    private readonly PendingPolls _pendingPolls;
    private readonly UnacknowledgedStatuses _unacknowledged;
    private readonly Attempts _attempts = new();
    private readonly RunningReports _running;
    private readonly ReconnectBackoff _reconnectBackoff;

    private ServerTarget _serverTarget;
    private GetTask _getTask;
    private LinkState _linkState = LinkState.Down;
    private int _link;
    private bool _reached;
    private Drain? _drain;

    // The trace context of the REDIRECT or RETURN that led to the current server. The first get_task carries it and clears it.
    private string? _pollTraceParent;

    // The same context for the ServerReached event, which clears it.
    private string? _reachedTraceParent;

    /// <param name="options">The validated configuration.</param>
    /// <param name="handles">The task types that have a handler.</param>
    /// <param name="random">The source of the reconnect jitter.</param>
    public WorkerCore(MeshWorkerSettings options, TaskTypeSet handles, Random random)
    {
        _options = options;
        _handles = handles;
        _redirects = new(options.Redirect.Allowed);
        _home = _serverTarget = new(null, options.Framing);
        _getTask = CreatePoll(_home);
        _pendingPolls = new(options.Timing);
        _unacknowledged = new(options.Timing);
        _running = new(options.RunningInterval);
        _reconnectBackoff = new(options.Timing, random);
    }

    private enum LinkState
    {
        Down = 1,
        Dialing = 2,
        Up = 3,
        Closing = 4,
        Ended = 5,
    }

    /// <summary>The time at which the core needs a <see cref="WorkerInput.TimerElapsed"/>, or null.</summary>
    public TimeSpan? WakeAt { get; private set; }

    private WorkerTiming Timing => _options.Timing;

    private bool UsesLineFraming => _serverTarget.Framing == Framing.Line;

    /// <summary>Processes one input. The caller carries out the effects in order. The list is reused by the next call.</summary>
    public IReadOnlyList<WorkerEffect> Step(WorkerInput input, TimeSpan now)
    {
        _effects.Clear();
        if (_linkState == LinkState.Ended)
        {
            return _effects;
        }

        switch (input)
        {
            case WorkerInput.Start or WorkerInput.TimerElapsed:
                break;
            case WorkerInput.Connected { Link: var link } when link == _link && _linkState == LinkState.Dialing:
                OnConnected();
                break;
            case WorkerInput.DialFailed failed when failed.Link == _link:
                OnDialFailed(failed, now);
                break;
            case WorkerInput.Disconnected lost when lost.Link == _link:
                OnDisconnected(lost.Why, now);
                break;
            case WorkerInput.Received received when received.Link == _link && _linkState == LinkState.Up:
                OnMessage(received.Message, now);
                break;
            case WorkerInput.ExchangeFailed failed when failed.Link == _link && _linkState == LinkState.Up:
                OnExchangeFailed(failed, now);
                break;
            case WorkerInput.RunningAcknowledged answered when answered.Link == _link && _linkState == LinkState.Up:
                _reconnectBackoff.Reset();
                ReportReached();
                OnRunningAcknowledged(answered.Task, answered.Cancel);
                break;
            case WorkerInput.RunningRejected rejected when rejected.Link == _link && _linkState == LinkState.Up:
                OnRunningRejected(rejected.Error);
                break;
            case WorkerInput.AttemptEnded ended:
                OnAttemptEnded(ended);
                break;
            case WorkerInput.StopRequested:
                OnStop(now);
                break;
            case WorkerInput.Connected or WorkerInput.DialFailed or WorkerInput.Disconnected or WorkerInput.Received or WorkerInput.ExchangeFailed
                or WorkerInput.RunningAcknowledged or WorkerInput.RunningRejected:
                break; // The link has been replaced or closed.
            default:
                throw new InvalidOperationException($"Unknown input {input}.");
        }

        Advance(now);
        return _effects;
    }

    /// <summary>Called after each input. Performs all actions that are due: cancels, leaves, dials, closes, sends.</summary>
    private void Advance(TimeSpan now)
    {
        ShortenStopDrain(now);
        if (_drain is { } drain)
        {
            if (drain.IsServerUnreachable || now >= drain.CancelAt)
            {
                _effects.AddRange(_attempts.Cancel().Select(key => new CancelAttempt(key)));
            }

            if (now >= drain.AbandonAt && !drain.IsServerUnreachable)
            {
                HandBackUnfinished(drain);
            }

            if (IsDrained(drain, now))
            {
                CompleteDrain(drain);
            }
        }

        if (_linkState == LinkState.Down && _drain is not { IsServerUnreachable: true } && now >= _reconnectBackoff.RetryAt)
        {
            _linkState = LinkState.Dialing;
            _effects.Add(new Dial(++_link, _serverTarget));
        }

        if (_linkState == LinkState.Up && !UsesLineFraming && _pendingPolls.Count > 0 && now >= _pendingPolls.Oldest + Timing.PollResponseTimeout)
        {
            Close();
        }

        if (_linkState == LinkState.Up && now >= _reconnectBackoff.RetryAt && _drain is not { IsServerUnreachable: true })
        {
            SendStatuses(now);
            SendRunning(now);
            SendPolls(now);
        }

        WakeAt = NextWake(now);
    }

    private void SendStatuses(TimeSpan now)
    {
        if (_unacknowledged.DropExhausted(now) is > 0 and var given)
        {
            Report(new WorkerEvent.StatusesDropped(given));
        }

        while (_unacknowledged.TakeDue(now, repeats: !UsesLineFraming) is { } status)
        {
            Send(status);
        }
    }

    private void SendPolls(TimeSpan now)
    {
        if (_drain is not null || now < _pendingPolls.DelayedUntil || _unacknowledged.Count >= _options.Concurrency + ExtraPendingStatuses)
        {
            return;
        }

        // An abandoned attempt occupies its slot, also at the next server.
        // Over lines, a slot polls after the ACK of its last task, because a line server keeps one task for each worker UUID.
        for (var free = _options.Concurrency - _attempts.Count - _pendingPolls.Count - (UsesLineFraming ? _unacknowledged.Count : 0); free > 0; free--)
        {
            _pendingPolls.Sent(now);
            Send(_pollTraceParent is null ? _getTask : _getTask with { TraceParent = _pollTraceParent });
            _pollTraceParent = null;
        }
    }

    private TimeSpan? NextWake(TimeSpan now)
    {
        TimeSpan? wake = null;
        if (_drain is { } drain)
        {
            At(now < drain.CancelAt ? drain.CancelAt : now < drain.AbandonAt && !drain.IsServerUnreachable ? drain.AbandonAt : now < drain.LeaveAt ? drain.LeaveAt : null);
        }

        switch (_linkState)
        {
            case LinkState.Down when _drain is not { IsServerUnreachable: true }:
                At(_reconnectBackoff.RetryAt);
                break;
            case LinkState.Up when _drain is { IsServerUnreachable: true }:
                break; // Nothing is sent until the worker leaves.
            case LinkState.Up when now < _reconnectBackoff.RetryAt:
                At(_reconnectBackoff.RetryAt);
                break;
            case LinkState.Up:
                At(_unacknowledged.DueAt);
                At(_running.DueAt);
                At(_pendingPolls.Count > 0 && !UsesLineFraming ? _pendingPolls.Oldest + Timing.PollResponseTimeout : null);
                At(now < _pendingPolls.DelayedUntil ? _pendingPolls.DelayedUntil : null);
                break;
            case LinkState.Down or LinkState.Dialing or LinkState.Closing or LinkState.Ended:
                break;
            default:
                throw new InvalidOperationException($"Unknown state {_linkState}.");
        }

        return wake;

        void At(TimeSpan? time)
        {
            if (time is { } at && at != TimeSpan.MaxValue && (wake is null || at < wake))
            {
                wake = at;
            }
        }
    }

    private void ReportReached()
    {
        if (!_reached)
        {
            _reached = true;
            Report(new WorkerEvent.ServerReached(_serverTarget) { TraceParent = _reachedTraceParent });
            _reachedTraceParent = null;
        }
    }

    private void Send(MeshMessage message) => _effects.Add(new Send(_link, message));

    private void Report(WorkerEvent told) => _effects.Add(new Report(told));

    private GetTask CreatePoll(ServerTarget place) => new(_options.Id, place.IsHome ? null : _options.Home) { Tasks = _handles };
}
