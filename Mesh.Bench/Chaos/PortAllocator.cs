using System.Net;
using System.Net.Sockets;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>
/// Allocates unused ports, each one once. They are below the range of ephemeral ports, so that no outgoing connection takes a port before its user listens on it, or
/// while a server is down.
/// </summary>
internal static class PortAllocator
{
    private const int First = 10_000;
    private const int Count = 10_000;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Returns the next free port. Thread-safe.</summary>
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
                // The port is in use.
            }
        }

        throw new BenchException($"No port from {First} to {First + Count - 1} is free.");
    }
}
