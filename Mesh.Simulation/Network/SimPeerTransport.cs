using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Links;
using Mesh.Simulation.Time;
using Mesh.Transport;

namespace Mesh.Simulation.Network;

/// <summary>Connects one process of a server to its peers over the simulated network.</summary>
/// <param name="client">The name of the server.</param>
/// <param name="context">The process. What comes from the network runs in its context.</param>
internal sealed class SimPeerTransport(SimNetwork network, string client, SimContext context) : IPeerTransport
{
    public Task<IPeerConnection> ConnectAsync(PeerSettings peer, CancellationToken cancellationToken)
    {
        var dialed = new TaskCompletionSource<IPeerConnection>();
        network.Dial(
            client,
            peer.Endpoint,
            connection =>
            {
                var isTaken = false;
                context.Run(() => isTaken = dialed.TrySetResult(new SimPeerConnection(connection, context)));
                if (!isTaken)
                {
                    connection.CloseFromClient();
                }
            },
            (speaksLines, why) => context.Run(() => dialed.TrySetException(
                new MeshDialException(speaksLines ? MeshDialFailure.NotWebSocket : MeshDialFailure.Unreachable, why))));
        return OrCanceled(dialed, cancellationToken);
    }

    public Task<Received> ExchangeLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource<Received>();
        network.Exchange(client, peer.Endpoint, message, (reply, _) => context.Run(() =>
            answered.TrySetResult(reply is null ? Received.End(CloseReason.Timeout) : Received.Of(reply))));
        return OrCanceled(answered, cancellationToken);
    }

    public Task<bool> SendLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var sent = new TaskCompletionSource<bool>();
        network.SendLine(client, peer.Endpoint, message, isSent => context.Run(() => sent.TrySetResult(isSent)));
        return OrCanceled(sent, cancellationToken);
    }

    private static Task<T> OrCanceled<T>(TaskCompletionSource<T> source, CancellationToken cancellationToken)
    {
        cancellationToken.Register(() => source.TrySetCanceled(cancellationToken));
        return source.Task;
    }

    private sealed class SimPeerConnection : IPeerConnection
    {
        private readonly SimConnection _connection;
        private readonly Queue<Received> _received = new();
        private TaskCompletionSource<Received>? _receiving;

        public SimPeerConnection(SimConnection connection, SimContext context)
        {
            _connection = connection;
            connection.ClientReceives = message => context.Run(() => Receive(Received.Of(message)));
            connection.ClientCloses = _ => context.Run(() => Receive(Received.End(CloseReason.Lost)));
        }

        public bool TrySend(MeshMessage message)
        {
            _connection.SendToServer(message);
            return _connection.ClientOpen;
        }

        public ValueTask<Received> ReceiveAsync(CancellationToken cancellationToken)
        {
            if (_received.TryDequeue(out var received))
            {
                return new(received);
            }

            _receiving = new TaskCompletionSource<Received>();
            return new(_receiving.Task);
        }

        public ValueTask DisposeAsync()
        {
            _connection.CloseFromClient();
            Receive(Received.End(CloseReason.Done));
            return default;
        }

        private void Receive(Received received)
        {
            if (_receiving is { } waiting)
            {
                _receiving = null;
                waiting.SetResult(received);
            }
            else
            {
                _received.Enqueue(received);
            }
        }
    }
}
