using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
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
        if (message is TaskStatus status)
        {
            if (!_reported.TryGetValue((session, status.Id), out var reported))
            {
                _reported.Add((session, status.Id), reported = new());
            }

            reported.Enqueue(ReportedStatus.Of(node, status));
        }

        if (world.Mutation == Mutation.TypesIgnored && message is GetTask ask)
        {
            message = ask with { Tasks = WorkerNode.AccountTypes };
        }

        node.Feed(new(LoopInputKind.Message) { Session = session, Framing = connection.Framing, Subject = message });
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
        world.InvariantChecker.OnSend(node, connection.Client, message, Acknowledged(session, message));
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

        _sessions.Clear();
        _reported.Clear();
        _undelivered.Clear();
    }

    private ReportedStatus? Acknowledged(SessionId session, MeshMessage message) =>
        message is Ack ack && _reported.TryGetValue((session, ack.Id), out var reported) && reported.TryDequeue(out var status) ? status : null;
}
