using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>
/// The pending polls: get_tasks that are held until a task, a REDIRECT, a RETURN or their deadline (docs/protocol.md, "The task cycle"). A ready poll can receive a task. A
/// suspended poll cannot, because its worker is about to leave or is paused.
/// </summary>
internal sealed class PollRegistry(TasksOptions settings)
{
    /// <summary>The number of lists up to which an empty one is kept for the next poll of a worker with its types.</summary>
    private const int MaxIdleLists = 64;

    /// <summary>The ready polls by the task types that their worker handles, oldest first.</summary>
    private readonly Dictionary<TaskTypeSet, LinkedList<PendingPoll>> _ready = [];

    /// <summary>The lists of <see cref="_ready"/> whose set contains a type.</summary>
    private readonly Dictionary<TaskType, List<LinkedList<PendingPoll>>> _readyByType = [];

    /// <summary>All polls by deadline: on WebSockets, on lines, and those added as suspended. All polls of a list are held for the same time, so a new one goes to the end.</summary>
    private readonly LinkedList<PendingPoll>[] _byDeadline = [[], [], []];

    private readonly Dictionary<SessionId, PendingPoll> _onLines = [];
    private long _order;

    /// <summary>The longest time for which a suspended poll is held. A poll that arrives within this time after a REDIRECT or RETURN is suspended.</summary>
    public static TimeSpan SuspensionTime { get; } = TimeSpan.FromSeconds(2);

    /// <summary>The deadline of the next poll to expire, or null.</summary>
    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var polls in _byDeadline)
            {
                if (polls.First is { } first && !(next <= first.Value.Deadline))
                {
                    next = first.Value.Deadline;
                }
            }

            return next;
        }
    }

    /// <summary>True when there is a ready poll.</summary>
    public bool HasReady
    {
        get
        {
            foreach (var ready in _ready.Values)
            {
                if (ready.Count > 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Finds the poll that is held on a line connection, or returns null. There is at most one.</summary>
    public PendingPoll? FindOnLine(SessionId session) => _onLines.GetValueOrDefault(session);

    /// <summary>Holds a get_task. The poll is ready if it is not suspended and its worker can receive a task.</summary>
    public void Add(WorkerEntry worker, SessionId session, Framing framing, bool isSuspended, DateTimeOffset now)
    {
        var (list, time) = (isSuspended, framing) switch
        {
            (true, _) => (2, SuspensionTime < settings.LineHoldTime ? SuspensionTime : settings.LineHoldTime),
            (false, Framing.WebSocket) => (0, settings.HoldTime),
            (false, Framing.Line) => (1, settings.LineHoldTime),
            _ => throw new InvalidOperationException($"Framing {framing} is unknown."),
        };
        var poll = new PendingPoll(worker, session, framing, now + time, ++_order);
        worker.PendingPolls.Add(poll);
        _byDeadline[list].AddLast(poll.DeadlineNode);
        if (!isSuspended && worker.Health.CanReceiveTask(worker.Running.Count, now))
        {
            ReadyList(worker.Handles).AddLast(poll.ReadyNode);
        }

        if (framing == Framing.Line)
        {
            _onLines.Add(session, poll);
        }
    }

    /// <summary>Suspends all polls of a worker.</summary>
    public static void Suspend(WorkerEntry worker)
    {
        foreach (var poll in worker.PendingPolls)
        {
            poll.ReadyNode.List?.Remove(poll.ReadyNode);
        }
    }

    /// <summary>Makes a suspended poll ready. The caller has checked that its worker can receive a task.</summary>
    public void Resume(PendingPoll poll)
    {
        if (poll.ReadyNode.List is null)
        {
            ReadyList(poll.Worker.Handles).AddLast(poll.ReadyNode);
        }
    }

    /// <summary>Moves the ready polls of a worker to the list of the task types that it handles now.</summary>
    public void OnHandlesChanged(WorkerEntry worker)
    {
        foreach (var poll in worker.PendingPolls)
        {
            if (poll.ReadyNode.List is { } list)
            {
                list.Remove(poll.ReadyNode);
                ReadyList(worker.Handles).AddLast(poll.ReadyNode);
            }
        }
    }

    /// <summary>The ready polls of the workers that handle a type, in one list for each set of types, oldest first.</summary>
    public IReadOnlyList<LinkedList<PendingPoll>> ReadyFor(TaskType type) => _readyByType.TryGetValue(type, out var lists) ? lists : [];

    /// <summary>Takes the oldest ready poll of a worker that handles the type. Returns false when there is none.</summary>
    public bool TryTakeReady(TaskType type, [NotNullWhen(true)] out PendingPoll? poll)
    {
        poll = null;
        if (!_readyByType.TryGetValue(type, out var lists))
        {
            return false;
        }

        foreach (var list in lists)
        {
            if (list.First?.Value is { } first && (poll is null || first.Order < poll.Order))
            {
                poll = first;
            }
        }

        if (poll is null)
        {
            return false;
        }

        Remove(poll);
        return true;
    }

    /// <summary>Takes a poll whose deadline has passed. Returns false when there is none.</summary>
    public bool TryTakeExpired(DateTimeOffset now, [NotNullWhen(true)] out PendingPoll? poll)
    {
        foreach (var polls in _byDeadline)
        {
            if (polls.First?.Value is { } first && first.Deadline <= now)
            {
                poll = first;
                Remove(first);
                return true;
            }
        }

        poll = null;
        return false;
    }

    /// <summary>Removes a poll. The caller has answered it, answers it, or does not need to.</summary>
    public void Remove(PendingPoll poll)
    {
        poll.Worker.PendingPolls.Remove(poll);
        poll.DeadlineNode.List?.Remove(poll.DeadlineNode);
        poll.ReadyNode.List?.Remove(poll.ReadyNode);
        if (poll.Framing == Framing.Line)
        {
            _onLines.Remove(poll.Session);
        }
    }

    /// <summary>Removes the polls of a worker that are held on a session.</summary>
    public void RemoveAll(WorkerEntry worker, SessionId session)
    {
        for (var i = worker.PendingPolls.Count - 1; i >= 0; i--)
        {
            if (worker.PendingPolls[i].Session == session)
            {
                Remove(worker.PendingPolls[i]);
            }
        }
    }

    private LinkedList<PendingPoll> ReadyList(TaskTypeSet types)
    {
        if (_ready.TryGetValue(types, out var list))
        {
            return list;
        }

        if (_ready.Count >= MaxIdleLists)
        {
            RemoveIdleLists();
        }

        _ready.Add(types, list = []);
        foreach (var type in types.AsSpan())
        {
            if (!_readyByType.TryGetValue(type, out var lists))
            {
                _readyByType.Add(type, lists = []);
            }

            lists.Add(list);
        }

        return list;
    }

    private void RemoveIdleLists()
    {
        foreach (var (types, list) in _ready.Where(ready => ready.Value.Count == 0).ToList())
        {
            _ready.Remove(types);
            foreach (var type in types.AsSpan())
            {
                _readyByType[type].Remove(list);
                if (_readyByType[type].Count == 0)
                {
                    _readyByType.Remove(type);
                }
            }
        }
    }
}

/// <summary>A get_task that is held.</summary>
internal sealed class PendingPoll
{
    public PendingPoll(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset deadline, long order)
    {
        (Worker, Session, Framing, Deadline, Order) = (worker, session, framing, deadline, order);
        DeadlineNode = new LinkedListNode<PendingPoll>(this);
        ReadyNode = new LinkedListNode<PendingPoll>(this);
    }

    public WorkerEntry Worker { get; }

    public SessionId Session { get; }

    public Framing Framing { get; }

    /// <summary>The time when the poll is answered with NO_TASK.</summary>
    public DateTimeOffset Deadline { get; }

    /// <summary>The number of the poll in the order of arrival.</summary>
    public long Order { get; }

    /// <summary>The node of this poll in the list by deadline.</summary>
    public LinkedListNode<PendingPoll> DeadlineNode { get; }

    /// <summary>The node of this poll in the list of ready polls. It is in no list while the poll is suspended.</summary>
    public LinkedListNode<PendingPoll> ReadyNode { get; }
}
