using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>The connected workers, their sessions, and the workers whose WebSocket closed recently.</summary>
internal sealed class WorkerRegistry(ServerId own, TasksOptions settings)
{
    private readonly Dictionary<WorkerId, WorkerEntry> _workers = [];
    private readonly Dictionary<SessionId, List<WorkerEntry>> _sessions = [];

    /// <summary>The workers whose WebSocket closed, in that order.</summary>
    private readonly LinkedList<WorkerEntry> _gone = [];
    private readonly TimeSpan _grace = settings.WorkerGrace;
    private int _lineWorkers;

    public IReadOnlyCollection<WorkerEntry> All => _workers.Values;

    /// <summary>The workers at home, by task types.</summary>
    public HomeWorkers Homes { get; } = new(own);

    /// <summary>The pending polls of the workers.</summary>
    public PollRegistry Polls { get; } = new(settings);

    /// <summary>The time when the next grace period ends, or null.</summary>
    public DateTimeOffset? NextGraceEnd => _gone.First?.Value.GoneSince + _grace;

    /// <summary>The number of WebSockets that workers are bound to.</summary>
    public int Sessions => _sessions.Count;

    public bool HasLineWorkers => _lineWorkers > 0;

    public WorkerEntry? Find(WorkerId id) => _workers.GetValueOrDefault(id);

    public WorkerEntry Add(WorkerId id, ServerId home, bool hasLoan)
    {
        var worker = new WorkerEntry(id, home, Homes) { HasLoan = hasLoan };
        _workers.Add(id, worker);
        return worker;
    }

    /// <summary>Removes a worker and its pending polls. The worker must have no running tasks.</summary>
    public void Remove(WorkerEntry worker)
    {
        _workers.Remove(worker.Id);
        worker.IsRemoved = true;
        SetFraming(worker, default);
        SetGone(worker, null);
        while (worker.PendingPolls.Count > 0)
        {
            Polls.Remove(worker.PendingPolls[^1]);
        }

        if (worker.Session is { } session)
        {
            Unbind(session, worker);
        }
    }

    /// <summary>
    /// Binds a worker to the WebSocket on which it sent a get_task, until that session closes, the worker is removed, or it uses another connection. A line worker is not bound to
    /// a session.
    /// </summary>
    /// <returns>True when this replaced an open WebSocket of the worker.</returns>
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
            Polls.RemoveAll(worker, old);
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

    /// <summary>Sets the task types that a worker handles, as its last get_task names them.</summary>
    public void SetHandles(WorkerEntry worker, TaskTypeSet handles)
    {
        if (worker.Handles.Equals(handles))
        {
            return;
        }

        worker.Handles = handles;
        Polls.OnHandlesChanged(worker);
    }

    /// <summary>Removes a closed session and its pending polls. The grace period of the workers bound to it starts.</summary>
    /// <returns>The workers that were bound to the session.</returns>
    public IReadOnlyList<WorkerEntry> Close(SessionId session, DateTimeOffset now)
    {
        if (!_sessions.Remove(session, out var workers))
        {
            if (Polls.FindOnLine(session) is { } poll)
            {
                Polls.Remove(poll);
            }

            return [];
        }

        foreach (var worker in workers)
        {
            Polls.RemoveAll(worker, session);
            worker.Session = null;
            SetGone(worker, now);
        }

        return workers;
    }

    /// <summary>Finds a worker whose grace period has ended, or returns null.</summary>
    public WorkerEntry? FindGraceExpired(DateTimeOffset now) =>
        _gone.First?.Value is { } first && first.GoneSince + _grace <= now ? first : null;

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
}
