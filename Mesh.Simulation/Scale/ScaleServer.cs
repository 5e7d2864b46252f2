using System.Collections.Frozen;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;

namespace Mesh.Simulation.Scale;

/// <summary>The core of a server with a store and connections that never fail.</summary>
internal sealed class ScaleServer
{
    private readonly ScaleMesh _mesh;
    private readonly Effects _effects = new();
    private readonly ServerCore _core;
    private readonly Dictionary<SessionId, Action<MeshMessage>> _sessions = [];
    private readonly Dictionary<ServerId, SessionId> _sessionsAtPeers = [];
    private readonly Dictionary<WorkerId, (ServerId Owner, TimeSpan Since)> _borrowed = [];
    private long _lastSession;
    private bool _writing;
    private TimeSpan? _wakesAt;

    public ScaleServer(ScaleMesh mesh, ServerSettings settings, int seed)
    {
        (_mesh, Settings) = (mesh, settings);
        _core = new ServerCore(settings, StoredState.Empty, mesh.Now, seed, _effects);
    }

    public ServerSettings Settings { get; }

    public int QueueDepth => _core.QueueDepth;

    /// <summary>True while the server has no tasks and no loans.</summary>
    public bool IsAtRest => _core.Footprint is { Tasks: 0, Loans: 0 };

    /// <summary>The number of messages that were sent to other servers and received from them.</summary>
    public long MessagesWithPeers { get; private set; }

    public long MessagesWithWorkers { get; private set; }

    /// <summary>The number of loans of this server as the borrower.</summary>
    public int Loans { get; private set; }

    /// <summary>The largest number of borrowed workers at the same time.</summary>
    public int MostLoans { get; private set; }

    /// <summary>The time of all borrowed workers together, by owner.</summary>
    public Dictionary<ServerId, TimeSpan> BorrowedTime { get; } = [];

    /// <summary>Performs what the core has decided at its start.</summary>
    public void Start() => Settle();

    public void Submit(IReadOnlyList<TaskRecord> tasks)
    {
        _core.OnSubmit(new Submission(tasks), _mesh.Now);
        Settle();
    }

    /// <summary>Opens a connection of a worker.</summary>
    /// <param name="send">Receives the answers.</param>
    public SessionId Open(Action<MeshMessage> send)
    {
        var session = new SessionId(++_lastSession);
        _sessions.Add(session, message =>
        {
            MessagesWithWorkers++;
            send(message);
        });
        return session;
    }

    public void Close(SessionId session)
    {
        _sessions.Remove(session);
        _core.OnSessionClosed(session, SessionEnd.Closed, _mesh.Now);
        Settle();
    }

    public void Receive(SessionId session, MeshMessage message)
    {
        MessagesWithWorkers++;
        OnMessage(session, message);
    }

    private void ReceiveFromPeer(SessionId session, MeshMessage message)
    {
        MessagesWithPeers++;
        OnMessage(session, message);
    }

    private void OnMessage(SessionId session, MeshMessage message)
    {
        _core.OnMessage(session, Framing.WebSocket, message, _mesh.Now);
        Settle();
    }

    /// <summary>Opens the link of a peer, over which this server answers.</summary>
    private SessionId OpenLink(ScaleServer peer)
    {
        var session = new SessionId(++_lastSession);
        _sessions.Add(session, message =>
        {
            MessagesWithPeers++;
            _mesh.Deliver(() => peer.OnReply(Settings.Id, message));
        });
        return session;
    }

    private void OnReply(ServerId peer, MeshMessage reply)
    {
        MessagesWithPeers++;
        _core.OnPeerReply(peer, reply, _mesh.Now);
        Settle();
    }

    /// <summary>Performs the effects, writes the changes and sets the timer.</summary>
    private void Settle()
    {
        Execute();
        Write();
        if (_core.NextDueTime is { } due && !(ScaleMesh.TimeOf(due) >= _wakesAt))
        {
            var at = ScaleMesh.TimeOf(due);
            _wakesAt = at;
            _mesh.At(at, () => Wake(at));
        }
    }

    private void Wake(TimeSpan at)
    {
        if (_wakesAt == at)
        {
            _wakesAt = null;
            if (_core.NextDueTime <= _mesh.Now)
            {
                _core.OnTimer(_mesh.Now);
            }

            Settle();
        }
    }

    private void Execute()
    {
        foreach (var happened in _effects.Events)
        {
            OnEvent(happened);
        }

        foreach (var (session, message, _) in _effects.Sends)
        {
            if (_sessions.TryGetValue(session, out var send))
            {
                send(message);
            }
        }

        foreach (var send in _effects.PeerSends)
        {
            MessagesWithPeers++;
            var (peer, message) = (_mesh.Server(send.Peer), send.Message);
            if (!_sessionsAtPeers.TryGetValue(send.Peer, out var session))
            {
                _sessionsAtPeers.Add(send.Peer, session = peer.OpenLink(this));
            }

            _mesh.Deliver(() => peer.ReceiveFromPeer(session, message));
        }

        _effects.Clear();
    }

    private void Write()
    {
        while (!_writing && _core.Journal.TryTake() is { } batch)
        {
            if (batch.Ops.Count > 0)
            {
                _writing = true;
                _mesh.Deliver(() =>
                {
                    _writing = false;
                    OnStored(batch);
                    Settle();
                });
                return;
            }

            OnStored(batch);
            Execute();
        }
    }

    private void OnStored(StoreBatch batch) => _core.OnStored(batch, FrozenDictionary<string, TaskRecord?>.Empty, _mesh.Now);

    private void OnEvent(MeshEvent happened)
    {
        switch (happened)
        {
            case LoanStateChanged { Loan: { Role: LoanRole.Borrower, State: LoanState.Arrived } loan } when !_borrowed.ContainsKey(loan.Worker):
                Loans++;
                _borrowed.Add(loan.Worker, (loan.Peer, _mesh.Elapsed));
                MostLoans = Math.Max(MostLoans, _borrowed.Count);
                break;
            case LoanEnded { Loan.Role: LoanRole.Borrower } ended when _borrowed.Remove(ended.Loan.Worker, out var arrived):
                BorrowedTime[arrived.Owner] = BorrowedTime.GetValueOrDefault(arrived.Owner) + _mesh.Elapsed - arrived.Since;
                break;
            default:
                break;
        }
    }
}
