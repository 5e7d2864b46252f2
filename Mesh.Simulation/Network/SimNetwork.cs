using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Network;

/// <summary>The network between the nodes. The faults of the life set its delays and losses.</summary>
internal sealed class SimNetwork(Scheduler scheduler, Random random, StepLog log, Coverage coverage)
{
    /// <summary>Why an exchange failed whose target accepts no connections.</summary>
    public const string Refused = "refused";

    /// <summary>How long a client waits for the reply over a line connection (docs/protocol.md, "Transport").</summary>
    private static readonly TimeSpan LineTimeout = TimeSpan.FromSeconds(5);

    private readonly Dictionary<MeshEndpoint, IListener> _listeners = [];
    private readonly List<SimConnection> _connections = [];
    private readonly Dictionary<(string, string), TimeSpan> _partitions = [];

    public Scheduler Scheduler { get; } = scheduler;

    /// <summary>The longest extra delay of a message. <see cref="SpikeShare"/> is the share of messages that have one.</summary>
    public TimeSpan SpikeDelay { get; set; }

    public double SpikeShare { get; set; }

    /// <summary>The share of line exchanges whose request or reply is lost, or whose request arrives twice.</summary>
    public double LineLoss { get; set; }

    public double LineRepeats { get; set; }

    public long Messages { get; private set; }

    public IReadOnlyList<SimConnection> Connections => _connections;

    public void Listen(MeshEndpoint endpoint, IListener listener) => _listeners.Add(endpoint, listener);

    public TimeSpan Latency(Framing framing)
    {
        Messages++;
        var latency = TimeSpan.FromMilliseconds(0.05 + (random.NextDouble() * (framing == Framing.Line ? 3 : 1.5)));
        return SpikeShare > 0 && random.Chance(SpikeShare) ? latency + (SpikeDelay * random.NextDouble()) : latency;
    }

    /// <summary>How long an end takes to detect by its pings that the other end is gone.</summary>
    public TimeSpan PingTimeout() => random.Seconds(10, 20);

    /// <summary>Cuts two nodes off from each other until a time. Their connections break, and the ends detect it late.</summary>
    public void StartPartition(string a, string b, TimeSpan until)
    {
        _partitions[Key(a, b)] = until;
        foreach (var connection in _connections.Where(connection => Key(connection.Client, connection.Listener.Name) == Key(a, b)).ToArray())
        {
            connection.Break(clientNotices: false, serverNotices: false);
        }
    }

    public void ClearFaults()
    {
        _partitions.Clear();
        SpikeShare = LineLoss = LineRepeats = 0;
    }

    /// <summary>Called when a process has ended. The other ends of its connections are reset, or are told nothing when its machine has failed too.</summary>
    public void Kill(string node, bool silently)
    {
        foreach (var connection in _connections.ToArray())
        {
            if (connection.Listener.Name == node)
            {
                connection.OnServerProcessEnded(silently);
            }
            else if (connection.Client == node)
            {
                connection.OnClientProcessEnded(silently);
            }
        }
    }

    public void Forget(SimConnection connection)
    {
        if (!connection.ClientOpen && !connection.ServerOpen)
        {
            _connections.Remove(connection);
        }
    }

    /// <summary>Opens a WebSocket. Exactly one of the two callbacks is called, later.</summary>
    public void Dial(string client, MeshEndpoint target, Action<SimConnection> connected, Action<bool, string> failed)
    {
        if (IsPartitioned(client, target))
        {
            Scheduler.After(random.Seconds(4, 6), () => failed(false, "no answer"));
            return;
        }

        Scheduler.After(Latency(Framing.WebSocket) * 2, () =>
        {
            if (Find(target) is not { IsUp: true } listener)
            {
                failed(false, "refused");
            }
            else if (!listener.SupportsWebSocket)
            {
                failed(true, "speaks lines");
            }
            else
            {
                var connection = new SimConnection(this, client, listener, Framing.WebSocket);
                _connections.Add(connection);
                connected(connection);
                connection.Accept();
            }
        });
    }

    /// <summary>Sends one message over a new connection and waits for its reply. <paramref name="done"/> is called once, later, with the reply or the reason of the failure.</summary>
    /// <returns>An action that stops to wait; <paramref name="done"/> is not called after it.</returns>
    public Action Exchange(string client, MeshEndpoint target, MeshMessage message, Action<MeshMessage?, string> done)
    {
        if (random.Chance(LineRepeats))
        {
            coverage.Count("network: line message repeated");
            Scheduler.After(random.Seconds(0, 3), () => ExchangeOnce(client, target, message, expectsReply: true, (_, _) => { }));
        }

        return ExchangeOnce(client, target, message, expectsReply: true, done);
    }

    /// <summary>Sends one message without a reply over a new connection. <paramref name="done"/> is called once, later, with false when the message was not sent.</summary>
    public void SendLine(string client, MeshEndpoint target, MeshMessage message, Action<bool> done) =>
        ExchangeOnce(client, target, message, expectsReply: false, (_, failure) => done(failure.Length == 0));

    private Action ExchangeOnce(string client, MeshEndpoint target, MeshMessage message, bool expectsReply, Action<MeshMessage?, string> done)
    {
        SimConnection? connection = null;
        var over = false;
        var givenUp = false;

        void End(MeshMessage? reply, string why)
        {
            if (!over)
            {
                over = true;
                connection?.CloseFromClient();
                done(reply, why);
            }
        }

        Scheduler.After(LineTimeout, () => End(null, "no reply in time"));
        var lost = random.Chance(LineLoss);
        var losesReply = lost && random.Chance(0.5);
        if (IsPartitioned(client, target) || (lost && !losesReply))
        {
            if (lost)
            {
                coverage.Count("network: line request lost");
                log.Add(client, "loses a request", message);
            }

            return () => over = true;
        }

        Scheduler.After(Latency(Framing.Line) * 2, () =>
        {
            if (Find(target) is not { IsUp: true } listener)
            {
                End(null, Refused);
                return;
            }

            if (givenUp)
            {
                return;
            }

            connection = new SimConnection(this, client, listener, Framing.Line)
            {
                ClientReceives = reply => End(reply, ""),
                ClientCloses = why => End(null, why),
                DropsToClient = losesReply,
            };
            if (losesReply)
            {
                coverage.Count("network: line reply lost");
            }

            _connections.Add(connection);
            connection.Accept();
            connection.SendToServer(message);

            // The client stopped to wait before the connection was established. The message still arrives, late.
            if (over)
            {
                coverage.Count("network: line message late");
                connection.CloseFromClient();
            }
            else if (!expectsReply)
            {
                End(null, "");
            }
        });
        return () =>
        {
            over = givenUp = true;
            connection?.CloseFromClient();
        };
    }

    private IListener? Find(MeshEndpoint endpoint) => _listeners.GetValueOrDefault(endpoint);

    private bool IsPartitioned(string client, MeshEndpoint target) =>
        Find(target) is { } listener && _partitions.TryGetValue(Key(client, listener.Name), out var until) && until > Scheduler.Now;

    private static (string, string) Key(string a, string b) => string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
}
