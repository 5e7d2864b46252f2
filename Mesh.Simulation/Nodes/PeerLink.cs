using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;

namespace Mesh.Simulation;

/// <summary>The way from a server of ours to one peer, as Mesh.Server's links have it: one message after the other, each with its reply.</summary>
internal sealed class PeerLink(SimWorld world, ServerNode owner, PeerSettings peer, TimeSpan replyTimeout)
{
    private const int Capacity = 64;

    private readonly Queue<PeerSendEffect> _queue = new();
    private SimConnection? _connection;
    private Framing? _framing;
    private PeerSendEffect? _sending;
    private long _turn;
    private long _lineTurn;
    private bool _ended;

    public void Send(PeerSendEffect send)
    {
        if (_queue.Count < Capacity)
        {
            _queue.Enqueue(send);
            Pump();
        }
        else if (send.ExpectsReply)
        {
            world.Scheduler.After(TimeSpan.Zero, () => Fail(send, "the link's queue is full"));
        }
    }

    public void End() => _ended = true;

    private static bool IsReply(MeshMessage request, MeshMessage reply) => request switch
    {
        Heartbeat => reply is HeartbeatResponse,
        WorkerRequest => reply is Available or Unavailable,
        CommandRelease => reply is ReleaseAck,
        _ => false,
    };

    private void Pump()
    {
        if (_ended || _sending is not null || !_queue.TryDequeue(out var send))
        {
            return;
        }

        _sending = send;
        var turn = ++_turn;
        if (_framing == Framing.Line)
        {
            ExchangeLine(turn);
            return;
        }

        world.Scheduler.After(replyTimeout, () =>
        {
            if (IsCurrent(turn) && _lineTurn != turn)
            {
                // With the connection goes the late reply, which could be taken for that of the next message.
                CloseConnection();
                Done(turn, null, "no answer in time");
            }
        });
        if (_connection is not null)
        {
            SendOnConnection(turn);
            return;
        }

        world.Network.Dial(owner.Name, peer.Endpoint, connection => OnConnected(turn, connection), (lines, why) => OnDialFailed(turn, lines, why));
    }

    private void OnConnected(long turn, SimConnection connection)
    {
        if (!IsCurrent(turn))
        {
            connection.CloseFromClient();
            return;
        }

        _connection = connection;
        connection.ClientReceives = OnReceived;
        connection.ClientCloses = why =>
        {
            if (_connection == connection)
            {
                _connection = null;
                Done(_turn, null, why);
            }
        };
        SetFraming(Framing.WebSocket);
        SendOnConnection(turn);
    }

    private void OnDialFailed(long turn, bool speaksLines, string why)
    {
        if (!IsCurrent(turn))
        {
            return;
        }

        if (speaksLines)
        {
            ExchangeLine(turn);
        }
        else
        {
            Done(turn, null, why);
        }
    }

    private void SendOnConnection(long turn)
    {
        _connection!.SendToServer(_sending!.Value.Message);
        if (!_sending.Value.ExpectsReply)
        {
            Done(turn, null, "");
        }
    }

    private void OnReceived(MeshMessage message)
    {
        if (_sending is { ExpectsReply: true } sent && (message is Rejection || IsReply(sent.Message, message)))
        {
            Done(_turn, message, "");
        }
    }

    private void ExchangeLine(long turn)
    {
        _lineTurn = turn;
        world.Network.Exchange(owner.Name, peer.Endpoint, _sending!.Value.Message, (reply, why) =>
        {
            if (!IsCurrent(turn))
            {
                return;
            }

            // That it speaks lines, only a reply tells.
            if (reply is not null && IsReply(_sending.Value.Message, reply))
            {
                SetFraming(Framing.Line);
            }
            else if (_sending.Value.ExpectsReply)
            {
                _framing = null;
            }

            Done(turn, reply, why);
        });
    }

    private void Done(long turn, MeshMessage? reply, string why)
    {
        if (!IsCurrent(turn))
        {
            return;
        }

        var sent = _sending!.Value;
        _sending = null;
        if (reply is not null && IsReply(sent.Message, reply))
        {
            owner.Feed(new(LoopInputKind.PeerReply) { Id = peer.Id.Value, Subject = reply });
        }
        else if (sent.ExpectsReply)
        {
            Fail(sent, reply is null ? why : $"answered {reply.GetType().Name}");
        }

        Pump();
    }

    private void Fail(PeerSendEffect sent, string why)
    {
        if (!_ended)
        {
            owner.Feed(new(LoopInputKind.PeerFailed) { Id = peer.Id.Value, Subject = sent.Message, Detail = why });
        }
    }

    private void SetFraming(Framing framing)
    {
        if (_framing != framing)
        {
            _framing = framing;
            owner.Feed(new(LoopInputKind.PeerFraming) { Id = peer.Id.Value, Framing = framing });
        }
    }

    private void CloseConnection()
    {
        var conversation = _connection;
        _connection = null;
        conversation?.CloseFromClient();
    }

    private bool IsCurrent(long turn) => !_ended && _sending is not null && turn == _turn;
}
