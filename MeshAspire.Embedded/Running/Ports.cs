using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Embedded.Running;

/// <summary>
/// Finds loopback ports for the endpoints, and holds each until its process starts, so that no neighbour takes it meanwhile.
/// Free ports come from below the ranges that systems hand out for outgoing connections: else, while a process restarts, some
/// connection could come to sit on its port.
/// </summary>
internal sealed class Ports(DistributedApplicationOptions options) : IDisposable
{
    private const int Lowest = 20_000;
    private const int Highest = 30_000;

    private readonly Dictionary<int, List<Socket>> _held = [];

    public void Allocate(IEnumerable<IResource> resources)
    {
        foreach (var resource in resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                endpoint.Address = new("localhost", endpoint.Port is { } port && !options.Isolated ? Hold(resource, port) : HoldAny());
            }
        }
    }

    /// <summary>Holds the port if there is one wished for and it is free, else any other.</summary>
    public int HoldOr(int? wished) => wished is { } port && TryHold(port) ? port : HoldAny();

    /// <summary>Lets the ports of the resource go, for its process to take.</summary>
    public void Release(IResource resource)
    {
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            if (endpoint.Address is { } address)
            {
                Release(address.Port);
            }
        }
    }

    public void Release(int port)
    {
        if (_held.Remove(port, out var sockets))
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    public void Dispose()
    {
        foreach (var socket in _held.Values.SelectMany(sockets => sockets))
        {
            socket.Dispose();
        }

        _held.Clear();
    }

    private int Hold(IResource resource, int port) => TryHold(port) ? port : throw new DistributedApplicationException(
        $"{resource.Name} can't start: port {port} is taken. End the program that listens there, or give {resource.Name} another port in AppHost.cs.");

    private int HoldAny()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(Lowest, Highest);
            if (TryHold(port))
            {
                return port;
            }
        }

        throw new DistributedApplicationException($"No port between {Lowest} and {Highest} is free on this machine.");
    }

    private bool TryHold(int port)
    {
        var sockets = new List<Socket>();
        try
        {
            sockets.Add(Bind(IPAddress.Loopback, port));
            if (Socket.OSSupportsIPv6)
            {
                sockets.Add(Bind(IPAddress.IPv6Loopback, port));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressNotAvailable && sockets.Count > 0)
        {
            // No ::1 on this machine: 127.0.0.1 alone will do.
        }
        catch (SocketException)
        {
            sockets.ForEach(socket => socket.Dispose());
            return false;
        }

        _held[port] = sockets;
        return true;
    }

    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
