using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Transport;

namespace Mesh.Server.Links;

/// <summary>Connects to peers: over sockets in a server, over the simulated network in the simulation.</summary>
internal interface IPeerTransport
{
    /// <summary>Opens a WebSocket.</summary>
    /// <exception cref="MeshDialException">No connection was established.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<IPeerConnection> ConnectAsync(PeerSettings peer, CancellationToken cancellationToken);

    /// <summary>Sends one message over a line connection and waits for its reply, as <see cref="LineExchange.RequestAsync"/> does.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<Received> ExchangeLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Sends one message that has no reply over a line connection. Returns false when the peer cannot be reached.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<bool> SendLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>A WebSocket to a peer. Disposing it closes it.</summary>
internal interface IPeerConnection : IAsyncDisposable
{
    /// <summary>Queues a message. Returns false when the connection is closed or its outbox is full.</summary>
    bool TrySend(MeshMessage message);

    /// <summary>Waits for the next message, an error in the input, or the end. One call at a time.</summary>
    ValueTask<Received> ReceiveAsync(CancellationToken cancellationToken);
}

/// <summary>Connects to peers over sockets, with TLS when <see cref="PeerSettings.IsTls"/> is set.</summary>
internal sealed class SocketPeerTransport(MeshDialer dialer, TimeProvider time) : IPeerTransport
{
    private readonly LineExchange _lines = new(dialer.WithTls(false), time);
    private readonly LineExchange _encryptedLines = new(dialer.WithTls(true), time);

    public async Task<IPeerConnection> ConnectAsync(PeerSettings peer, CancellationToken cancellationToken) =>
        new SocketPeerConnection(await dialer.WithTls(peer.IsTls).DialAsync(peer.Endpoint, Framing.WebSocket, cancellationToken));

    public Task<Received> ExchangeLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken) =>
        LinesTo(peer).RequestAsync(peer.Endpoint, message, timeout, cancellationToken);

    public Task<bool> SendLineAsync(PeerSettings peer, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken) =>
        LinesTo(peer).SendOneWayAsync(peer.Endpoint, message, timeout, cancellationToken);

    private LineExchange LinesTo(PeerSettings peer) => peer.IsTls ? _encryptedLines : _lines;

    private sealed class SocketPeerConnection(MeshConnection connection) : IPeerConnection
    {
        public bool TrySend(MeshMessage message) => connection.TrySend(message);

        public ValueTask<Received> ReceiveAsync(CancellationToken cancellationToken) => connection.ReceiveAsync(cancellationToken);

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
