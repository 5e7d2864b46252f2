using System.Diagnostics;
using System.Net.WebSockets;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Fuzz;

/// <summary>A peer that sends valid heartbeats during all cases. The server must answer each of them within a time limit, whatever the other connections send.</summary>
internal sealed class ControlPeer(FuzzServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public int Answers { get; private set; }

    public TimeSpan Slowest { get; private set; }

    public async Task RunAsync(CancellationToken enough)
    {
        var link = new InMemoryConnection();
        var serving = server.ServeWebSocketAsync(link.ServerEnd);
        var socket = WebSocket.CreateFromStream(new DuplexPipeStream(link.ClientEnd), new WebSocketCreationOptions { IsServer = false });
        await using var connection = new WebSocketConnection(socket, "server", new MeshConnectionOptions());
        while (!enough.IsCancellationRequested)
        {
            var asked = Stopwatch.GetTimestamp();
            connection.TrySend(new Heartbeat(new ServerId("server-b")));
            var heard = await connection.ReceiveAsync(CancellationToken.None).AsTask().WaitAsync(Patience, CancellationToken.None);
            FuzzAssertionException.ThrowIf(heard.Message is not HeartbeatResponse, $"the control peer received {heard}");
            FuzzAssertionException.ThrowIf(serving.IsCompleted, "the connection of the control peer was closed");
            Answers++;
            Slowest = TimeSpan.FromTicks(Math.Max(Slowest.Ticks, Stopwatch.GetElapsedTime(asked).Ticks));
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }

        await connection.CloseAsync(CloseReason.Done);
        await serving;
    }
}
