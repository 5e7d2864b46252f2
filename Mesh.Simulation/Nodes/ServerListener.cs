using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using Mesh.Server.Loop;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Network;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Nodes;

/// <summary>Accepts the connections to one of our servers.</summary>
internal sealed class ServerListener(SimWorld world, ServerNode node) : IListener
{
    private readonly Dictionary<SessionId, SimConnection> _sessions = [];

    /// <summary>
    /// The statuses without an ACK, in their order, by session and by their TASK_ID, if any. A worker may report two attempts at one task before the first is
    /// acknowledged.
    /// </summary>
    private readonly Dictionary<(SessionId, TaskId?), Queue<ReportedStatus>> _reported = [];

    /// <summary>The tasks that were sent and not received, by session.</summary>
    private readonly Dictionary<SessionId, HashSet<TaskEntry>> _undelivered = [];
    private long _session;

    /// <summary>The RUNNING that the server is handling. It is answered at once, before all other messages about its task.</summary>
    private (SessionId Session, TaskId Task)? _running;

    public string Name => node.Name;

    /// <summary>The process does not respond, or another program has its address: connections are accepted, and nothing is answered.</summary>
    public bool IsUnresponsive { get; set; }

    /// <summary>A server without a core refuses connections.</summary>
    public bool IsUp => IsUnresponsive || node.Core is not null;

    public bool SupportsWebSocket => true;

    public void OnOpened(SimConnection connection)
    {
        connection.Number = ++_session;
        _sessions.Add(new SessionId(_session), connection);
    }

    public void OnMessage(SimConnection connection, MeshMessage message)
    {
        if (node.Core is null)
        {
            world.Coverage.Count("mute server: asked");
            return;
        }

        var session = new SessionId(connection.Number);
        node.Log($"hears {connection.Client}#{session.Value}", message);
        ReportedStatus? handled = null;
        if (message is TaskStatus { Outcome: TaskOutcome.Running, Id: { } reporting })
        {
            _running = (session, reporting);
        }
        else if (message is TaskStatus status)
        {
            if (!_reported.TryGetValue((session, status.Id), out var reported))
            {
                _reported.Add((session, status.Id), reported = new());
            }

            handled = ReportedStatus.Of(node, status);
            reported.Enqueue(handled);
            world.FollowUpCheck.OnStatus(node, handled.Task, status);
            world.InvariantChecker.OnStatus(node, status);
            if (world.Mutation == Mutation.RetryRequestsIgnored)
            {
                message = status with { MayRetry = true, RetryAfter = null };
            }
        }

        if (world.Mutation == Mutation.TypesIgnored && message is GetTask ask)
        {
            message = ask with { Tasks = WorkloadTypes.All };
        }

        if (message is WorkerRequest request)
        {
            world.InvariantChecker.Loans.OnRequest(node, session, request);
            if (world.Mutation == Mutation.RequestedTypesIgnored)
            {
                message = request with { Tasks = null };
            }
            else if (world.Mutation == Mutation.TypeMinimumIgnored)
            {
                FeedWithRequestedTypesOnly(connection, session, request);
                return;
            }
        }

        node.Feed(new(LoopInputKind.Message) { Session = session, Framing = connection.Framing, Subject = message });
        if (world.Mutation == Mutation.WorkersMiscounted && message is GetTask { Worker: var counted } && node.Core?.FindWorker(counted) is { } worker)
        {
            worker.HomePlace = worker.HomePlace with { IsServing = false };
        }

        handled?.OnHandled(node, (TaskStatus)message);
        _running = null;
    }

    public void OnClosed(SimConnection connection)
    {
        var session = new SessionId(connection.Number);
        if (world.Mutation != Mutation.CloseNotReported && _sessions.Remove(session))
        {
            var isReset = connection.IsReset && world.Mutation != Mutation.ResetTakenForClose;
            node.Feed(new(LoopInputKind.SessionClosed) { Session = session, End = isReset ? SessionEnd.Reset : SessionEnd.Closed });
            if (_undelivered.Remove(session, out var lost) && connection.IsReset && node.Core is not null)
            {
                world.InvariantChecker.OnReset(node, session, lost);
            }
        }
    }

    public void Send(in SendEffect send)
    {
        if (!_sessions.TryGetValue(send.Session, out var connection))
        {
            return;
        }

        var (session, message) = (send.Session, send.Message);
        node.Log($"answers {connection.Client}#{session.Value}", message);
        world.InvariantChecker.OnDispatch(node, send.Task);
        if (message is Ack { Id: { } reported } answer && _running == (session, reported))
        {
            _running = null;
            world.InvariantChecker.OnRunningAnswered(node, reported, answer.Cancel);
            OnReported(reported, connection.Client);
        }
        else
        {
            world.InvariantChecker.OnSend(node, connection.Client, message, Acknowledged(session, message));
        }

        if (message is Available available)
        {
            world.InvariantChecker.Loans.OnAvailable(node, session, available);
        }

        if (world.Mutation == Mutation.ReturnNotSent && message is Return)
        {
            return;
        }

        if (send.Task is not { } task)
        {
            connection.SendToClient(message);
            return;
        }

        if (!_undelivered.TryGetValue(session, out var sent))
        {
            _undelivered.Add(session, sent = []);
        }

        sent.Add(task);
        connection.SendToClient(message, () => sent.Remove(task));
    }

    /// <summary>Clears all connections when a new process starts.</summary>
    public void Clear()
    {
        if (IsUnresponsive)
        {
            IsUnresponsive = false;
            world.Network.Kill(Name, silently: false);
        }

        world.InvariantChecker.Loans.OnRestart(node);
        _sessions.Clear();
        _reported.Clear();
        _undelivered.Clear();
    }

    /// <summary>
    /// Called when a server has answered a RUNNING. The worker has the task, perhaps since before the server restarted and sent it again: the server waits for it, whether that message arrives or not
    /// (docs/protocol.md, "The task cycle").
    /// </summary>
    private void OnReported(TaskId id, string worker)
    {
        foreach (var sent in _undelivered.Values)
        {
            sent.RemoveWhere(task => task.Id == id && task.Worker?.Id.Value == worker);
        }
    }

    /// <summary>Feeds a request while the core believes that its workers handle only the requested types.</summary>
    private void FeedWithRequestedTypesOnly(SimConnection connection, SessionId session, WorkerRequest request)
    {
        var workers = world.AllWorkers.Select(worker => node.Core!.FindWorker(new WorkerId(worker.Name))).OfType<WorkerEntry>().Select(worker => (Worker: worker, worker.Handles)).ToList();
        foreach (var (worker, handles) in workers.Where(known => request.Tasks?.Overlaps(known.Handles) == true))
        {
            worker.Handles = TaskTypeSet.Of(handles.Where(request.Tasks!.Contains));
        }

        node.Feed(new(LoopInputKind.Message) { Session = session, Framing = connection.Framing, Subject = request });
        foreach (var (worker, handles) in workers)
        {
            worker.Handles = handles;
        }
    }

    private ReportedStatus? Acknowledged(SessionId session, MeshMessage message) =>
        message is Ack ack && _reported.TryGetValue((session, ack.Id), out var reported) && reported.TryDequeue(out var status) ? status : null;
}
