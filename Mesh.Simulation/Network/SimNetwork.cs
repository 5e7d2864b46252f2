using Mesh.Protocol;

namespace Mesh.Simulation;

/// <summary>Everything between the nodes. Its weather is set by the faults of the life.</summary>
internal sealed class SimNetwork(Scheduler scheduler, Random random, StepLog log, Coverage coverage)
{
    /// <summary>What a client of a line exchange waits for a reply (docs/protocol.md, "Transport").</summary>
    private static readonly TimeSpan LineTimeout = TimeSpan.FromSeconds(5);

    private readonly Dictionary<MeshEndpoint, IListener> _listeners = [];
    private readonly List<SimConnection> _connections = [];
    private readonly Dictionary<(string, string), TimeSpan> _partitions = [];

    public Scheduler Scheduler { get; } = scheduler;

    /// <summary>The longest extra delay of a message, and how many messages have one.</summary>
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

    /// <summary>How long an end takes to find out, by unanswered pings, that the other is gone.</summary>
    public TimeSpan PingTimeout() => random.Seconds(10, 20);

    /// <summary>Between two nodes nothing passes until a time. What is open breaks; its ends find out late.</summary>
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

    /// <summary>A process is gone: whoever was connected to it hears a reset, or nothing when its machine went with it.</summary>
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

    /// <summary>Opens a WebSocket. Exactly one of the two is called, later.</summary>
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

    /// <summary>One message and its reply, on a connection of its own. <paramref name="done"/> is called once, later, with a reply or a reason.</summary>
    /// <returns>Gives up waiting; nothing is called then.</returns>
    public Action Exchange(string client, MeshEndpoint target, MeshMessage message, Action<MeshMessage?, string> done)
    {
        if (random.Chance(LineRepeats))
        {
            coverage.Count("network: line message repeated");
            Scheduler.After(random.Seconds(0, 3), () => ExchangeOnce(client, target, message, (_, _) => { }));
        }

        return ExchangeOnce(client, target, message, done);
    }

    private Action ExchangeOnce(string client, MeshEndpoint target, MeshMessage message, Action<MeshMessage?, string> done)
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
                End(null, "refused");
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

            // The client waited for long enough before the connection stood: the message still arrives, late.
            if (over)
            {
                coverage.Count("network: line message late");
                connection.CloseFromClient();
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
