using System.Net;
using System.Net.Sockets;

namespace Mesh.Bench.Chaos;

/// <summary>
/// Ports that are free now, and below those from which systems pick the ports of outgoing connections: a server that is down for a
/// while must find its own free again.
/// </summary>
internal sealed class FreePorts
{
    private const int First = 12_000;
    private const int Last = 30_000;

    private int _next = Random.Shared.Next(First, Last);

    public int Next()
    {
        for (var tried = 0; tried < Last - First; tried++)
        {
            _next = _next == Last ? First : _next + 1;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, _next);
                listener.Start();
                return _next;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }

        throw new ChaosException($"No port from {First} to {Last} is free.");
    }
}
