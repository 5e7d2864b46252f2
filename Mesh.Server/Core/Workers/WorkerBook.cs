using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>The workers at the door and their held get_tasks.</summary>
internal sealed class WorkerBook(TaskSettings settings)
{
    private readonly Dictionary<WorkerId, WorkerEntry> _workers = [];
    private readonly Dictionary<SessionId, List<WorkerEntry>> _sessions = [];

    /// <summary>Asks that may get a task, by what their worker handles, longest waiting first.</summary>
    private readonly LinkedList<Ask>[] _ready = [[], [], [], []];

    /// <summary>Asks by deadline: WebSocket, line, parked. Each list has one holding time, so appending keeps it in order.</summary>
    private readonly LinkedList<Ask>[] _holds = [[], [], []];

    private readonly Dictionary<SessionId, Ask> _lineAsks = [];
    private readonly LinkedList<WorkerEntry> _gone = [];
    private long _askOrder;
    private int _lineWorkers;

    /// <summary>How long an ask stays parked after an order was given on its connection.</summary>
    public static TimeSpan ParkTime { get; } = TimeSpan.FromSeconds(2);

    public IReadOnlyCollection<WorkerEntry> All => _workers.Values;

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = _gone.First?.Value.GoneSince + settings.WorkerGrace;
            foreach (var hold in _holds)
            {
                if (hold.First is { } first && (next is null || first.Value.Deadline < next))
                {
                    next = first.Value.Deadline;
                }
            }

            return next;
        }
    }

    /// <summary>WebSockets that workers are bound to.</summary>
    public int Sessions => _sessions.Count;

    public bool HasLineWorkers => _lineWorkers > 0;

    /// <summary>Whether any worker waits that may have a task.</summary>
    public bool HasReady
    {
        get
        {
            foreach (var ready in _ready)
            {
                if (ready.Count > 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    public WorkerEntry? Find(WorkerId id) => _workers.GetValueOrDefault(id);

    public WorkerEntry Add(WorkerId id, ServerId home)
    {
        var worker = new WorkerEntry(id, home);
        _workers.Add(id, worker);
        return worker;
    }

    /// <summary>Forgets a worker; its tasks must have been taken from it.</summary>
    public void Remove(WorkerEntry worker)
    {
        _workers.Remove(worker.Id);
        SetFraming(worker, default);
        SetGone(worker, null);
        while (worker.Asks.Count > 0)
        {
            Drop(worker.Asks[^1]);
        }

        if (worker.Session is { } session)
        {
            Unbind(session, worker);
        }
    }

    /// <summary>A worker speaks on a connection: on a WebSocket it is bound to it until one of them goes. True when that took the place of another that is open.</summary>
    public bool Bind(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset now)
    {
        worker.LastSeen = now;
        SetFraming(worker, framing);
        SetGone(worker, null);
        SessionId? bound = framing == Framing.WebSocket ? session : null;
        if (worker.Session == bound)
        {
            return false;
        }

        var isReplaced = worker.Session is not null;
        if (worker.Session is { } old)
        {
            Unbind(old, worker);
            DropAsks(worker, old);
        }

        worker.Session = bound;
        if (bound is not null)
        {
            if (!_sessions.TryGetValue(session, out var workers))
            {
                _sessions.Add(session, workers = []);
            }

            workers.Add(worker);
        }

        return isReplaced;
    }

    /// <summary>What a worker handles is what its last get_task says.</summary>
    public void SetHandles(WorkerEntry worker, TaskTypes handles)
    {
        if (worker.Handles == handles)
        {
            return;
        }

        worker.Handles = handles;
        foreach (var ask in worker.Asks)
        {
            if (ask.ReadyNode.List is { } list)
            {
                list.Remove(ask.ReadyNode);
                _ready[(int)handles].AddLast(ask.ReadyNode);
            }
        }
    }

    /// <summary>A connection is closed: its asks go, and the workers bound to it are gone from now on.</summary>
    public IReadOnlyList<WorkerEntry> Close(SessionId session, DateTimeOffset now)
    {
        if (!_sessions.Remove(session, out var workers))
        {
            if (_lineAsks.TryGetValue(session, out var ask))
            {
                Drop(ask);
            }

            return [];
        }

        foreach (var worker in workers)
        {
            DropAsks(worker, session);
            worker.Session = null;
            SetGone(worker, now);
        }

        return workers;
    }

    /// <summary>The ask that is held on a line connection; there is at most one.</summary>
    public Ask? FindLineAsk(SessionId session) => _lineAsks.GetValueOrDefault(session);

    public Ask Hold(WorkerEntry worker, SessionId session, Framing framing, bool parked, DateTimeOffset now)
    {
        var (list, time) = (parked, framing) switch
        {
            (true, _) => (2, ParkTime < settings.LineHoldTime ? ParkTime : settings.LineHoldTime),
            (false, Framing.WebSocket) => (0, settings.HoldTime),
            (false, Framing.Line) => (1, settings.LineHoldTime),
            _ => throw new InvalidOperationException($"Framing {framing} is unknown."),
        };
        var ask = new Ask(worker, session, framing, now + time, ++_askOrder);
        worker.Asks.Add(ask);
        _holds[list].AddLast(ask.HoldNode);
        if (!parked && worker.Health.MayTake(worker.Running.Count, now))
        {
            _ready[(int)worker.Handles].AddLast(ask.ReadyNode);
        }

        if (framing == Framing.Line)
        {
            _lineAsks.Add(session, ask);
        }

        return ask;
    }

    /// <summary>Takes a worker's asks out of the reach of tasks: an order is coming.</summary>
    public static void Park(WorkerEntry worker)
    {
        foreach (var ask in worker.Asks)
        {
            ask.ReadyNode.List?.Remove(ask.ReadyNode);
        }
    }

    /// <summary>Lets a worker's ask have a task again.</summary>
    public void Unpark(Ask ask)
    {
        if (ask.ReadyNode.List is null)
        {
            _ready[(int)ask.Worker.Handles].AddLast(ask.ReadyNode);
        }
    }

    /// <summary>The longest held ask of the workers that handle exactly these types, or null when they do not handle that one; the others follow it in its list.</summary>
    public LinkedListNode<Ask>? FirstReady(TaskTypes types, TaskType type) => types.Handles(type) ? _ready[(int)types].First : null;

    public void Drop(Ask ask)
    {
        ask.Worker.Asks.Remove(ask);
        ask.HoldNode.List?.Remove(ask.HoldNode);
        ask.ReadyNode.List?.Remove(ask.ReadyNode);
        if (ask.Framing == Framing.Line)
        {
            _lineAsks.Remove(ask.Session);
        }
    }

    /// <summary>Takes the longest held ask of a worker that handles a type.</summary>
    public bool TryTakeReady(TaskType type, [NotNullWhen(true)] out Ask? ask)
    {
        ask = null;
        for (var types = TaskTypes.Query; types <= TaskTypes.All; types++)
        {
            if (types.Handles(type) && _ready[(int)types].First?.Value is { } first && (ask is null || first.Order < ask.Order))
            {
                ask = first;
            }
        }

        if (ask is null)
        {
            return false;
        }

        Drop(ask);
        return true;
    }

    /// <summary>Takes an ask that was held long enough.</summary>
    public bool TryTakeExpired(DateTimeOffset now, [NotNullWhen(true)] out Ask? ask)
    {
        foreach (var hold in _holds)
        {
            if (hold.First?.Value is { } first && first.Deadline <= now)
            {
                ask = first;
                Drop(first);
                return true;
            }
        }

        ask = null;
        return false;
    }

    /// <summary>A worker that has been gone for longer than its grace.</summary>
    public WorkerEntry? FindLost(DateTimeOffset now) =>
        _gone.First?.Value is { } first && first.GoneSince + settings.WorkerGrace <= now ? first : null;

    private void SetFraming(WorkerEntry worker, Framing framing)
    {
        _lineWorkers += (framing == Framing.Line ? 1 : 0) - (worker.Framing == Framing.Line ? 1 : 0);
        worker.Framing = framing;
    }

    private void SetGone(WorkerEntry worker, DateTimeOffset? since)
    {
        if (worker.IsGone)
        {
            _gone.Remove(worker.GoneNode);
        }

        worker.GoneSince = since;
        if (worker.IsGone)
        {
            _gone.AddLast(worker.GoneNode);
        }
    }

    private void Unbind(SessionId session, WorkerEntry worker)
    {
        if (_sessions.TryGetValue(session, out var workers) && workers.Remove(worker) && workers.Count == 0)
        {
            _sessions.Remove(session);
        }
    }

    private void DropAsks(WorkerEntry worker, SessionId session)
    {
        for (var i = worker.Asks.Count - 1; i >= 0; i--)
        {
            if (worker.Asks[i].Session == session)
            {
                Drop(worker.Asks[i]);
            }
        }
    }
}
