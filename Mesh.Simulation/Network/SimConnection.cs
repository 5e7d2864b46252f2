using Mesh.Protocol;

namespace Mesh.Simulation.Network;

/// <summary>
/// One connection. In each direction messages arrive in order, or not at all once the connection is broken. Each end detects the close separately,
/// at its own time.
/// </summary>
internal sealed class SimConnection(SimNetwork network, string client, IListener listener, Framing framing)
{
    private TimeSpan _lastToServer;
    private TimeSpan _lastToClient;
    private bool _broken;
    private int _unread;

    public string Client { get; } = client;

    public IListener Listener { get; } = listener;

    public Framing Framing { get; } = framing;

    public bool ClientOpen { get; private set; } = true;

    public bool ServerOpen { get; private set; }

    /// <summary>True when the listener's end was closed by a reset. What it had sent may not have been read.</summary>
    public bool IsReset { get; private set; }

    /// <summary>The listener's number of this connection.</summary>
    public long Number { get; set; }

    public Action<MeshMessage>? ClientReceives { get; set; }

    /// <summary>Called once, unless the client closed by itself.</summary>
    public Action<string>? ClientCloses { get; set; }

    /// <summary>Messages to the server, or to the client, are silently lost.</summary>
    public bool DropsToServer { get; set; }

    public bool DropsToClient { get; set; }

    public void Accept()
    {
        ServerOpen = true;
        Listener.OnOpened(this);
    }

    public void SendToServer(MeshMessage message)
    {
        if (ClientOpen)
        {
            Deliver(ref _lastToServer, () =>
            {
                if (ServerOpen && !_broken && !DropsToServer)
                {
                    Listener.OnMessage(this, message);
                }
            });
        }
    }

    /// <param name="message">The message.</param>
    /// <param name="received">Called when the client receives it.</param>
    public void SendToClient(MeshMessage message, Action? received = null)
    {
        if (ServerOpen)
        {
            _unread++;
            Deliver(ref _lastToClient, () =>
            {
                _unread -= ClientOpen ? 1 : 0;
                if (ClientOpen && !_broken && !DropsToClient)
                {
                    received?.Invoke();
                    ClientReceives?.Invoke(message);
                }
            });
        }
    }

    /// <summary>The client closes. The server detects it after the messages that were sent before, or by its pings.</summary>
    public void CloseFromClient()
    {
        if (ClientOpen)
        {
            ClientOpen = false;
            CloseServerEnd(DropsToServer || _broken);
        }
    }

    public void CloseFromServer()
    {
        if (ServerOpen)
        {
            ServerOpen = false;
            CloseClientEnd("closed by the server", DropsToClient || _broken);
        }
    }

    /// <summary>Called when the client's process has ended.</summary>
    public void OnClientProcessEnded(bool silently)
    {
        ClientOpen = false;
        CloseServerEnd(silently);
    }

    /// <summary>Called when the server's process has ended.</summary>
    public void OnServerProcessEnded(bool silently)
    {
        ServerOpen = false;
        CloseClientEnd("the server is gone", silently);
    }

    /// <summary>Breaks the connection. Messages on their way are lost. Each end detects it soon, or by its pings when the network gives no sign.</summary>
    public void Break(bool clientNotices, bool serverNotices)
    {
        _broken = true;
        CloseServerEnd(!serverNotices);
        CloseClientEnd("the connection was lost", !clientNotices);
    }

    private void CloseServerEnd(bool silently)
    {
        Deliver(ref _lastToServer, silently, () =>
        {
            if (ServerOpen)
            {
                ServerOpen = false;
                IsReset = !silently && (_broken || _unread > 0);
                Listener.OnClosed(this);
            }

            network.Forget(this);
        });
    }

    private void CloseClientEnd(string why, bool silently)
    {
        Deliver(ref _lastToClient, silently, () =>
        {
            if (ClientOpen)
            {
                ClientOpen = false;
                ClientCloses?.Invoke(why);
            }

            network.Forget(this);
        });
    }

    private void Deliver(ref TimeSpan last, bool silently, Action action)
    {
        if (silently)
        {
            network.Scheduler.After(network.PingTimeout(), action);
        }
        else
        {
            Deliver(ref last, action);
        }
    }

    private void Deliver(ref TimeSpan last, Action action)
    {
        var due = network.Scheduler.Now + network.Latency(Framing);
        last = due > last ? due : last;
        network.Scheduler.At(last, action);
    }
}
