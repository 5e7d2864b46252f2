using System.Net;
using System.Net.Sockets;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>
/// Ports at which nobody listens, another each time, and below those from which systems pick the ports of outgoing connections: a port stays free until its user
/// listens there, and while a server is down.
/// </summary>
internal static class PortAllocator
{
    private const int First = 10_000;
    private const int Count = 10_000;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Safe from any thread.</summary>
    public static int Next()
    {
        for (var tried = 0; tried < Count; tried++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }

        throw new BenchException($"No port from {First} to {First + Count - 1} is free.");
    }
}
