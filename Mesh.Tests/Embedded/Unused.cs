using System.Net;
using System.Net.Sockets;
using Mesh.Bench.Chaos;

namespace Mesh.Tests.Embedded;

internal static class Unused
{
    /// <summary>A port that nobody listens on now.</summary>
    public static int Port() => FreePorts.Next();

    /// <summary>Someone who has taken a port.</summary>
    public static TcpListener Listener()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }
}
