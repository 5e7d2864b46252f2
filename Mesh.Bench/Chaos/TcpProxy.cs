using System.Net;
using System.Net.Sockets;

namespace Mesh.Bench.Chaos;

/// <summary>A TCP proxy for one server or Redis. It forwards bytes, and simulates network faults: it resets connections or stops forwarding.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly HashSet<Task> _pairs = [];
    private TaskCompletionSource _open = Opened();
    private Task _accepting = Task.CompletedTask;

    public TcpProxy(string name, int port, int targetPort)
    {
        (Name, Port) = (name, port);
        _listener = new TcpListener(IPAddress.Loopback, port);
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
    }

    public string Name { get; }

    /// <summary>The port on which the proxy listens.</summary>
    public int Port { get; }

    public void Start()
    {
        _listener.Start();
        _accepting = AcceptAsync();
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
        _listener.Stop();
        ResetConnections();
        ResumeForwarding();
        await _accepting;
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

    private async Task AcceptAsync()
    {
        try
        {
            while (!_end.IsCancellationRequested)
            {
                var client = await _listener.AcceptSocketAsync(_end.Token);
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
            // The run has ended.
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
                await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
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

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                await Gate();
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                }
            }

            await Gate();
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
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
