using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Embedded.Running;

/// <summary>
/// Finds loopback ports for the endpoints, and holds each until its process starts, so that no neighbour takes it meanwhile.
/// Free ports come from below the ranges that systems hand out for outgoing connections: else, while a process restarts, some
/// connection could come to sit on its port. They come from blocks that are this run's own, so that neither does the port of another run.
/// </summary>
internal sealed class Ports(DistributedApplicationOptions options) : IDisposable
{
    private const int Lowest = 20_000;
    private const int Blocks = 200;

    /// <summary>Ports in a block. The first is bound, and never listened on, for as long as the block is taken.</summary>
    private const int BlockSize = 50;

    private const int SolSocket = 1;
    private const int SoReuseAddress = 2;

    private readonly Dictionary<int, List<Socket>> _held = [];
    private readonly Queue<int> _own = [];

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
        do
        {
            while (_own.TryDequeue(out var port))
            {
                if (TryHold(port))
                {
                    return port;
                }
            }
        }
        while (TryTakeBlock());

        throw new DistributedApplicationException($"No port from {Lowest} to {Lowest + (Blocks * BlockSize) - 1} is free on this machine.");
    }

    private bool TryTakeBlock()
    {
        var blocks = Enumerable.Range(0, Blocks).ToArray();
        RandomNumberGenerator.Shuffle(blocks.AsSpan());
        foreach (var first in blocks.Select(block => Lowest + (block * BlockSize)))
        {
            if (TryHold(first))
            {
                Enumerable.Range(first + 1, BlockSize - 1).ToList().ForEach(_own.Enqueue);
                return true;
            }
        }

        return false;
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
            if (OperatingSystem.IsLinux())
            {
                // .NET asked for it to bind beside connections that have ended; Linux would let another such socket bind here, as long as neither listens.
                socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(0));
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
