using System.Net;
using System.Net.Sockets;

namespace Mesh.Tests.Client;

/// <summary>
/// A TCP proxy that injects faults at random: it resets a connection instead of forwarding a request or an answer, and delays answers. So a client cannot know whether the
/// server has received a request whose answer is missing.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Random _random;
    private readonly IPEndPoint _target;
    private readonly HashSet<Socket> _sockets = [];
    private readonly HashSet<Task> _pairs = [];
    private readonly CancellationTokenSource _end = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;

    public FaultProxy(int port, int targetPort, int seed)
    {
        (Port, _random) = (port, new Random(seed));
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
        Open();
    }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    /// <summary>Whether faults are injected.</summary>
    public bool Injects { get; set; }

    /// <summary>The number of requests that were lost before the server received them.</summary>
    public int LostRequests { get; private set; }

    /// <summary>The number of answers that were lost after the server had processed the request.</summary>
    public int LostAnswers { get; private set; }

    public int DelayedAnswers { get; private set; }

    /// <summary>Accepts connections.</summary>
    public void Open()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>Refuses connections until <see cref="Open"/>, and resets those that exist.</summary>
    public async Task CloseAsync()
    {
        _listener!.Stop();
        await _accepting;
        lock (_lock)
        {
            foreach (var socket in _sockets)
            {
                Reset(socket);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await CloseAsync();
        Task[] pairs;
        lock (_lock)
        {
            pairs = [.. _pairs];
        }

        await Task.WhenAll(pairs);
        _end.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(CancellationToken.None);
                lock (_lock)
                {
                    _pairs.RemoveWhere(static pair => pair.IsCompleted);
                    _pairs.Add(ForwardAsync(client));
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            lock (_lock)
            {
                _sockets.Add(client);
                _sockets.Add(server);
            }

            try
            {
                client.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(_target, _end.Token);
                await Task.WhenAll(PumpAsync(client, server, isAnswer: false), PumpAsync(server, client, isAnswer: true));
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                Reset(client);
                Reset(server);
            }
            finally
            {
                lock (_lock)
                {
                    _sockets.Remove(client);
                    _sockets.Remove(server);
                }
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isAnswer)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (Decide(isAnswer) is { } delay)
                {
                    await Task.Delay(delay, TimeProvider.System, _end.Token);
                }
                else
                {
                    throw new SocketException((int)SocketError.ConnectionReset);
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Reset(from);
            Reset(to);
            throw;
        }
    }

    /// <summary>Returns how long to delay what was received, or null to reset the connection instead.</summary>
    private TimeSpan? Decide(bool isAnswer)
    {
        lock (_lock)
        {
            if (!Injects)
            {
                return TimeSpan.Zero;
            }

            switch (_random.Next(100))
            {
                case < 3 when isAnswer:
                    LostAnswers++;
                    return null;
                case < 2:
                    LostRequests++;
                    return null;
                case < 4 when isAnswer:
                    DelayedAnswers++;
                    return TimeSpan.FromMilliseconds(_random.Next(1_500));
                default:
                    return TimeSpan.Zero;
            }
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection has already ended.
        }
    }
}
