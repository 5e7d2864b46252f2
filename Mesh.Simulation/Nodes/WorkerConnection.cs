using Mesh.Protocol;
using Mesh.Simulation.Network;
using Mesh.Simulation.Time;
using MeshAspire.Worker.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Nodes;

/// <summary>
/// The connection of a worker to its current server, over WebSocket or lines. It replaces the links of Mesh.Worker, and reports to the worker's core what happens.
/// </summary>
/// <param name="home">The address of the server that the worker belongs to.</param>
/// <param name="step">Passes an input to the worker's core.</param>
internal sealed class WorkerConnection(WorkerNode node, SimNetwork network, MeshEndpoint home, Random random, Action<WorkerInput> step)
{
    /// <summary>The actions that cancel the line exchanges of the current link.</summary>
    private readonly List<Action> _exchanges = [];
    private SimConnection? _connection;

    /// <summary>The number of the current link, or 0 when there is none.</summary>
    private int _link;

    /// <summary>The server of the last dial.</summary>
    public ServerTarget Target { get; private set; } = new(null, Framing.WebSocket);

    public MeshEndpoint Endpoint => Target.Borrower ?? home;

    /// <summary>Forgets the line exchanges of the process that has ended. The network closes its connections.</summary>
    public void OnProcessEnded() => _exchanges.Clear();

    /// <summary>Forgets the connection of an earlier process.</summary>
    public void Reset()
    {
        _exchanges.Clear();
        _connection = null;
        _link = 0;
    }

    public void Dial(int link, ServerTarget target)
    {
        (_link, Target) = (link, target);
        if (Target.Framing == Framing.Line)
        {
            node.After(TimeSpan.Zero, () => step(new WorkerInput.Connected(link)));
            return;
        }

        var connected = node.IgnoreAfterRestart<SimConnection>(connection => OnConnected(link, connection));
        network.Dial(
            node.Name,
            Endpoint,
            connection =>
            {
                connected(connection);
                if (_connection != connection)
                {
                    connection.CloseFromClient();
                }
            },
            node.IgnoreAfterRestart<bool, string>((lines, why) =>
            {
                if (_link == link)
                {
                    _link = 0;
                    step(new WorkerInput.DialFailed(link, lines, why));
                }
            }));
    }

    public void Send(int link, MeshMessage message)
    {
        node.Log($"tells {Endpoint}", message);
        if (Target.Framing != Framing.Line)
        {
            _connection!.SendToServer(message);
            return;
        }

        var answered = node.IgnoreAfterRestart<MeshMessage?, string>((reply, why) =>
        {
            if (_link == link)
            {
                node.Log($"hears {Endpoint} {why}", reply);
                if (message is TaskStatus { Outcome: TaskOutcome.Running } running)
                {
                    OnRunningAnswered(link, running, reply, why);
                    return;
                }

                step((message, reply) switch
                {
                    (GetTask, NewTask or NoTask or Redirect or Return or Rejection) => new WorkerInput.Received(link, reply),
                    (TaskStatus status, Ack ack) => new WorkerInput.Received(link, ack with { Id = status.Id }),
                    _ => new WorkerInput.ExchangeFailed(link, message, why),
                });
            }
        });
        _exchanges.Add(network.Exchange(node.Name, Endpoint, message, answered));
    }

    public void Close(int link)
    {
        if (_link != link)
        {
            return;
        }

        _link = 0;
        foreach (var giveUp in _exchanges)
        {
            giveUp();
        }

        _exchanges.Clear();
        var connection = _connection;
        _connection = null;
        connection?.CloseFromClient();
        var dialing = connection is null && Target.Framing != Framing.Line;
        node.After(random.Seconds(0.0005, connection is null ? 0.001 : 0.5), () => step(dialing
            ? new WorkerInput.DialFailed(link, SupportsOnlyLines: false, "given up")
            : new WorkerInput.Disconnected(link, "Done")));
    }

    private void OnRunningAnswered(int link, TaskStatus running, MeshMessage? reply, string why)
    {
        switch (reply)
        {
            case Ack ack:
                step(new WorkerInput.RunningAcknowledged(link, running.Id!.Value, ack.Cancel));
                break;
            case Rejection rejection:
                step(new WorkerInput.RunningRejected(link, rejection.Error));
                break;
            case null when why == SimNetwork.Refused:
                step(new WorkerInput.ExchangeFailed(link, running, why));
                break;
            default:
                break;
        }
    }

    private void OnConnected(int link, SimConnection connection)
    {
        if (_link != link)
        {
            return;
        }

        _connection = connection;
        connection.ClientReceives = node.IgnoreAfterRestart<MeshMessage>(message =>
        {
            node.Log($"hears {connection.Listener.Name}", message);
            step(new WorkerInput.Received(link, message));
        });
        connection.ClientCloses = node.IgnoreAfterRestart<string>(why => OnClosed(link, connection, why));
        step(new WorkerInput.Connected(link));
    }

    private void OnClosed(int link, SimConnection connection, string why)
    {
        if (_connection == connection)
        {
            _connection = null;
            _link = 0;
            node.Log($"loses {connection.Listener.Name}: {why}");
            step(new WorkerInput.Disconnected(link, why));
        }
    }
}
