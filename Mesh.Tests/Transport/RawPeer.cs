using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Tests.Transport;

/// <summary>A scripted peer on a plain socket. It accepts one connection.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _script;

    public RawPeer(Func<StreamReader, Stream, CancellationToken, Task> script)
    {
        _listener.Start();
        Endpoint = new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);
        _script = Task.Run(async () =>
        {
            using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, new UTF8Encoding(false));
            await script(reader, stream, _stop.Token);
        });
    }

    public MeshEndpoint Endpoint { get; }

    /// <summary>An address without a listener.</summary>
    public static MeshEndpoint Nobody()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new("127.0.0.1", ((IPEndPoint)socket.LocalEndPoint!).Port);
    }

    /// <summary>Creates a peer that reads a line, answers and closes the connection.</summary>
    public static RawPeer Answering(string answer) => new(async (reader, stream, stop) =>
    {
        await reader.ReadLineAsync(stop);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), stop);
    });

    /// <summary>Creates a peer that never answers.</summary>
    public static RawPeer Silent() => new((_, _, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _script.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _stop.Dispose();
    }
}
