using System.Net;
using System.Net.Sockets;

namespace Mesh.Bench.Chaos;

/// <summary>
/// A TCP proxy for one server or Redis. It forwards bytes, and simulates network faults: it refuses or resets connections, stops forwarding, and delays or loses single parts.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly IPEndPoint _target;
    private readonly Func<bool, TimeSpan?>? _decide;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly HashSet<Task> _pairs = [];
    private TcpListener? _listener;
    private TaskCompletionSource _open = Opened();
    private Task _accepting = Task.CompletedTask;

    /// <param name="decide">
    /// Decides about each part that was received: returns how long to delay it, or null to reset the connection instead of forwarding it. Its argument is true for a part from the target.
    /// Called by several threads. Null to forward everything at once.
    /// </param>
    public TcpProxy(string name, int port, int targetPort, Func<bool, TimeSpan?>? decide = null)
    {
        (Name, Port, _decide) = (name, port, decide);
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
    }

    public string Name { get; }

    /// <summary>The port on which the proxy listens.</summary>
    public int Port { get; }

    /// <summary>Accepts connections.</summary>
    public void Start()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>Refuses connections until <see cref="Start"/>, and resets those that exist.</summary>
    public async Task StopAsync()
    {
        _listener?.Stop();
        await _accepting;
        ResetConnections();
    }

    /// <summary>Resets all current connections.</summary>
    public void ResetConnections()
    {
        lock (_lock)
        {
            foreach (var socket in _sockets)
            {
                Reset(socket);
            }
        }
    }

    /// <summary>Stops forwarding without closing a connection, so that neither side detects the fault.</summary>
    public void PauseForwarding()
    {
        lock (_lock)
        {
            if (_open.Task.IsCompleted)
            {
                _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    public void ResumeForwarding()
    {
        lock (_lock)
        {
            _open.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await StopAsync();
        ResumeForwarding();
        Task[] pairs;
        lock (_lock)
        {
            pairs = [.. _pairs];
        }

        await Task.WhenAll(pairs);
        _end.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (!_end.IsCancellationRequested)
            {
                var client = await listener.AcceptSocketAsync(_end.Token);
                var pair = PairAsync(client);
                lock (_lock)
                {
                    _pairs.RemoveWhere(static one => one.IsCompleted);
                    _pairs.Add(pair);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy was stopped.
        }
    }

    private async Task PairAsync(Socket client)
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
                await Gate();
                await server.ConnectAsync(_target, _end.Token);
                await Task.WhenAll(PumpAsync(client, server, fromTarget: false), PumpAsync(server, client, fromTarget: true));
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

    private async Task PumpAsync(Socket from, Socket to, bool fromTarget)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                await Gate();
                if (_decide is not null)
                {
                    await Task.Delay(_decide(fromTarget) ?? throw new SocketException((int)SocketError.ConnectionReset), TimeProvider.System, _end.Token);
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                }
            }

            await Gate();
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // When one direction ends, the other one is ended too, so that its pump does not wait for ever.
            Reset(from);
            Reset(to);
            throw;
        }
    }

    private Task Gate()
    {
        lock (_lock)
        {
            return _open.Task;
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
