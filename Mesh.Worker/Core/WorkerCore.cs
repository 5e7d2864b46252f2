using Mesh.Protocol;
using static Mesh.Worker.Core.WorkerEffect;

namespace Mesh.Worker.Core;

/// <summary>
/// Everything a worker decides, without I/O: inputs with the time go in, effects come out (docs/protocol.md, "The task cycle" and "A loan").
/// It has one link at most, so it never deals with two servers at once; it leaves a server only with no task of that server in hand.
/// The time is any clock that only goes forward.
/// </summary>
internal sealed partial class WorkerCore
{
    // Statuses may wait for their ACKs while new tasks come in, but not without end.
    private const int SpareStatuses = 16;

    private readonly WorkerSettings _settings;
    private readonly List<WorkerEffect> _effects = [];
    private readonly Place _home;
    private readonly Asks _asks;
    private readonly Statuses _statuses;
    private readonly Attempts _attempts = new();
    private readonly Contact _contact;

    private Place _place;
    private GetTask _getTask;
    private LinkState _linkState = LinkState.Down;
    private int _link;
    private bool _reached;
    private Departure? _departure;

    // W3C context of the order that led here, until it is told with the first get_task.
    private string? _moveTrace;

    // The same, until it is told that the place is reached.
    private string? _reachTrace;

    public WorkerCore(WorkerSettings settings, Random random)
    {
        _settings = settings;
        _home = _place = new(null, settings.Framing);
        _getTask = GetTaskAt(_home);
        _asks = new(settings.Timing);
        _statuses = new(settings.Timing);
        _contact = new(settings.Timing, random);
    }

    private enum LinkState
    {
        Down = 1,
        Dialing = 2,
        Up = 3,
        Closing = 4,
        Ended = 5,
    }

    /// <summary>When the core wants a <see cref="WorkerInput.TimeCame"/>, or null.</summary>
    public TimeSpan? WakeAt { get; private set; }

    private WorkerTiming Timing => _settings.Timing;

    private bool OverLines => _place.Framing == Framing.Line;

    /// <summary>Takes one input. The effects are to be carried out in order; the list is the core's own, valid until the next step.</summary>
    public IReadOnlyList<WorkerEffect> Step(WorkerInput input, TimeSpan now)
    {
        _effects.Clear();
        if (_linkState == LinkState.Ended)
        {
            return _effects;
        }

        switch (input)
        {
            case WorkerInput.Start or WorkerInput.TimeCame:
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
            case WorkerInput.AttemptEnded ended:
                OnAttemptEnded(ended);
                break;
            case WorkerInput.StopRequested:
                OnStop(now);
                break;
            case WorkerInput.Connected or WorkerInput.DialFailed or WorkerInput.Disconnected or WorkerInput.Received or WorkerInput.ExchangeFailed:
                break; // of a link that is no more
            default:
                throw new InvalidOperationException($"Unknown input {input}.");
        }

        Advance(now);
        return _effects;
    }

    /// <summary>Does all that can be done by now, whatever the input was.</summary>
    private void Advance(TimeSpan now)
    {
        HurryToStop(now);
        if (_departure is { } departure)
        {
            if (departure.ServerIsLost || now >= departure.CancelAt)
            {
                _effects.AddRange(_attempts.Cancel().Select(key => new CancelAttempt(key)));
            }

            if (IsReady(departure, now))
            {
                Leave(departure);
            }
        }

        if (_linkState == LinkState.Down && _departure is not { ServerIsLost: true } && now >= _contact.RetryAt)
        {
            _linkState = LinkState.Dialing;
            _effects.Add(new Dial(++_link, _place));
        }

        if (_linkState == LinkState.Up && !OverLines && _asks.Count > 0 && now >= _asks.Oldest + Timing.AnswerLimit)
        {
            Close();
        }

        if (_linkState == LinkState.Up && now >= _contact.RetryAt)
        {
            SendStatuses(now);
            Ask(now);
        }

        WakeAt = NextWake(now);
    }

    private void SendStatuses(TimeSpan now)
    {
        if (_statuses.GiveUp(now) is > 0 and var given)
        {
            Tell(new WorkerEvent.GaveUpStatuses(given));
        }

        while (_statuses.TakeDue(now, repeats: !OverLines) is { } status)
        {
            Send(status);
        }
    }

    private void Ask(TimeSpan now)
    {
        // An abandoned attempt is a task of the server that was left: no other one's beside it.
        if (_departure is not null || now < _asks.PausedUntil || _attempts.HasAbandoned || _statuses.Count >= _settings.Concurrency + SpareStatuses)
        {
            return;
        }

        // Over lines a slot waits for the ACK of its last task: line servers know a worker by its UUID and one task of it.
        for (var free = _settings.Concurrency - _attempts.Count - _asks.Count - (OverLines ? _statuses.Count : 0); free > 0; free--)
        {
            _asks.Sent(now);
            Send(_moveTrace is null ? _getTask : _getTask with { TraceParent = _moveTrace });
            _moveTrace = null;
        }
    }

    private TimeSpan? NextWake(TimeSpan now)
    {
        TimeSpan? wake = null;
        if (_departure is { } departure)
        {
            At(now < departure.CancelAt ? departure.CancelAt : now < departure.LeaveAt ? departure.LeaveAt : null);
        }

        switch (_linkState)
        {
            case LinkState.Down when _departure is not { ServerIsLost: true }:
                At(_contact.RetryAt);
                break;
            case LinkState.Up when now < _contact.RetryAt:
                At(_contact.RetryAt);
                break;
            case LinkState.Up:
                At(_statuses.DueAt);
                At(_asks.Count > 0 && !OverLines ? _asks.Oldest + Timing.AnswerLimit : null);
                At(now < _asks.PausedUntil ? _asks.PausedUntil : null);
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

    private void Reach()
    {
        if (!_reached)
        {
            _reached = true;
            Tell(new WorkerEvent.Reached(_place) { TraceParent = _reachTrace });
            _reachTrace = null;
        }
    }

    private void Send(MeshMessage message) => _effects.Add(new Send(_link, message));

    private void Tell(WorkerEvent told) => _effects.Add(new Tell(told));

    private GetTask GetTaskAt(Place place) => new(_settings.Id, place.IsHome ? null : _settings.Home) { Tasks = _settings.Handles };
}
