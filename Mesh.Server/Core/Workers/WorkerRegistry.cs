using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>The workers at the door and their held get_tasks.</summary>
internal sealed class WorkerRegistry(TasksOptions settings)
{
    private readonly Dictionary<WorkerId, WorkerEntry> _workers = [];
    private readonly Dictionary<SessionId, List<WorkerEntry>> _sessions = [];

    /// <summary>Asks that may get a task, by what their worker handles, longest waiting first.</summary>
    private readonly LinkedList<PendingPoll>[] _ready = [[], [], [], []];

    /// <summary>Asks by deadline: WebSocket, line, parked. Each list has one holding time, so appending keeps it in order.</summary>
    private readonly LinkedList<PendingPoll>[] _pollsByDeadline = [[], [], []];

    private readonly Dictionary<SessionId, PendingPoll> _linePolls = [];
    private readonly LinkedList<WorkerEntry> _gone = [];
    private long _pollOrder;
    private int _lineWorkers;

    /// <summary>How long an ask stays parked after an order was given on its connection.</summary>
    public static TimeSpan PollSuspensionTime { get; } = TimeSpan.FromSeconds(2);

    public IReadOnlyCollection<WorkerEntry> All => _workers.Values;

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = _gone.First?.Value.GoneSince + settings.WorkerGrace;
            foreach (var hold in _pollsByDeadline)
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
        while (worker.PendingPolls.Count > 0)
        {
            RemovePoll(worker.PendingPolls[^1]);
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
            RemovePolls(worker, old);
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
        foreach (var poll in worker.PendingPolls)
        {
            if (poll.ReadyNode.List is { } list)
            {
                list.Remove(poll.ReadyNode);
                _ready[(int)handles].AddLast(poll.ReadyNode);
            }
        }
    }

    /// <summary>A connection is closed: its asks go, and the workers bound to it are gone from now on.</summary>
    public IReadOnlyList<WorkerEntry> Close(SessionId session, DateTimeOffset now)
    {
        if (!_sessions.Remove(session, out var workers))
        {
            if (_linePolls.TryGetValue(session, out var poll))
            {
                RemovePoll(poll);
            }

            return [];
        }

        foreach (var worker in workers)
        {
            RemovePolls(worker, session);
            worker.Session = null;
            SetGone(worker, now);
        }

        return workers;
    }

    /// <summary>The ask that is held on a line connection; there is at most one.</summary>
    public PendingPoll? FindLinePoll(SessionId session) => _linePolls.GetValueOrDefault(session);

    public PendingPoll AddPoll(WorkerEntry worker, SessionId session, Framing framing, bool isSuspended, DateTimeOffset now)
    {
        var (list, time) = (isSuspended, framing) switch
        {
            (true, _) => (2, PollSuspensionTime < settings.LineHoldTime ? PollSuspensionTime : settings.LineHoldTime),
            (false, Framing.WebSocket) => (0, settings.HoldTime),
            (false, Framing.Line) => (1, settings.LineHoldTime),
            _ => throw new InvalidOperationException($"Framing {framing} is unknown."),
        };
        var poll = new PendingPoll(worker, session, framing, now + time, ++_pollOrder);
        worker.PendingPolls.Add(poll);
        _pollsByDeadline[list].AddLast(poll.DeadlineNode);
        if (!isSuspended && worker.Health.CanReceiveTask(worker.Running.Count, now))
        {
            _ready[(int)worker.Handles].AddLast(poll.ReadyNode);
        }

        if (framing == Framing.Line)
        {
            _linePolls.Add(session, poll);
        }

        return poll;
    }

    /// <summary>Takes a worker's asks out of the reach of tasks: an order is coming.</summary>
    public static void SuspendPolls(WorkerEntry worker)
    {
        foreach (var poll in worker.PendingPolls)
        {
            poll.ReadyNode.List?.Remove(poll.ReadyNode);
        }
    }

    /// <summary>Lets a worker's ask have a task again.</summary>
    public void ResumePoll(PendingPoll poll)
    {
        if (poll.ReadyNode.List is null)
        {
            _ready[(int)poll.Worker.Handles].AddLast(poll.ReadyNode);
        }
    }

    /// <summary>The longest held ask of the workers that handle exactly these types, or null when they do not handle that one; the others follow it in its list.</summary>
    public LinkedListNode<PendingPoll>? FirstReady(TaskTypes types, TaskType type) => types.Handles(type) ? _ready[(int)types].First : null;

    public void RemovePoll(PendingPoll poll)
    {
        poll.Worker.PendingPolls.Remove(poll);
        poll.DeadlineNode.List?.Remove(poll.DeadlineNode);
        poll.ReadyNode.List?.Remove(poll.ReadyNode);
        if (poll.Framing == Framing.Line)
        {
            _linePolls.Remove(poll.Session);
        }
    }

    /// <summary>Takes the longest held ask of a worker that handles a type.</summary>
    public bool TryTakeReady(TaskType type, [NotNullWhen(true)] out PendingPoll? poll)
    {
        poll = null;
        for (var types = TaskTypes.Query; types <= TaskTypes.All; types++)
        {
            if (types.Handles(type) && _ready[(int)types].First?.Value is { } first && (poll is null || first.Order < poll.Order))
            {
                poll = first;
            }
        }

        if (poll is null)
        {
            return false;
        }

        RemovePoll(poll);
        return true;
    }

    /// <summary>Takes an ask that was held long enough.</summary>
    public bool TryTakeExpired(DateTimeOffset now, [NotNullWhen(true)] out PendingPoll? poll)
    {
        foreach (var hold in _pollsByDeadline)
        {
            if (hold.First?.Value is { } first && first.Deadline <= now)
            {
                poll = first;
                RemovePoll(first);
                return true;
            }
        }

        poll = null;
        return false;
    }

    /// <summary>A worker that has been gone for longer than its grace.</summary>
    public WorkerEntry? FindGraceExpired(DateTimeOffset now) =>
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

    private void RemovePolls(WorkerEntry worker, SessionId session)
    {
        for (var i = worker.PendingPolls.Count - 1; i >= 0; i--)
        {
            if (worker.PendingPolls[i].Session == session)
            {
                RemovePoll(worker.PendingPolls[i]);
            }
        }
    }
}
