using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>A connection over a WebSocket, dialed or accepted. Each text message is one object.</summary>
public sealed class WebSocketConnection : MeshConnection
{
    // Enough for the messages of workers. Buffers grow with longer messages. A server has thousands of connections with short messages.
    private const int FirstBufferBytes = 512;

    private readonly WebSocket _socket;
    private readonly BatchingStream? _batch;
    private readonly Action? _abort;
    private readonly ArrayBufferWriter<byte> _unsent = new();
    private readonly List<int> _ends = [];
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _length;
    private bool _skipToEndOfMessage;

    /// <param name="socket">The WebSocket. The connection disposes it.</param>
    /// <param name="remoteAddress">The peer's address, for logs.</param>
    /// <param name="options">The options of the connection.</param>
    /// <param name="batch">The stream under the socket, which combines the messages of one flush into one write. Null when there is none.</param>
    /// <param name="abort">
    /// Called when the connection is aborted, in addition to the abort of the socket. Called at most once, on any thread, and not after <see cref="MeshConnection.Closed"/>.
    /// </param>
    /// <param name="resetProbe">Implements <see cref="MeshConnection.IsReset"/>. Null when the transport cannot detect a reset.</param>
    public WebSocketConnection(
        WebSocket socket, string remoteAddress, MeshConnectionOptions options, BatchingStream? batch = null, Action? abort = null, Func<bool>? resetProbe = null)
        : base(Framing.WebSocket, remoteAddress, options, resetProbe)
    {
        _socket = socket;
        _batch = batch;
        _abort = abort;
        Start();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<Received> ReceiveCoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellationToken);
                if (TryTake(part, out var received))
                {
                    return received;
                }
            }
        }
        catch (Exception exception) when (IsConnectionLoss(exception, cancellationToken))
        {
            Abort(GetCloseReason(exception));
            return End(CloseReason.Lost);
        }
    }

    private protected override int Append(MeshMessage message)
    {
        var before = _unsent.WrittenCount;
        MessageWriter.Write(_unsent, message);
        _ends.Add(_unsent.WrittenCount);
        return _unsent.WrittenCount - before;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private protected override async ValueTask FlushAsync()
    {
        _batch?.BeginBatch();
        var start = 0;
        foreach (var end in _ends)
        {
            await _socket.SendAsync(_unsent.WrittenMemory[start..end], WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            start = end;
        }

        _ends.Clear();
        _unsent.ResetWrittenCount();
        if (_batch is not null)
        {
            await _batch.FlushBatchAsync();
        }
    }

    private protected override async Task FinishAsync()
    {
        var status = Reason == CloseReason.ProtocolError ? WebSocketCloseStatus.InvalidPayloadData : WebSocketCloseStatus.NormalClosure;
        await _socket.CloseOutputAsync(status, Reason.ToString(), CancellationToken.None);

        // The close message of the peer shows that it has read all messages.
        await AcquireReceiveAsync();
        while ((await ReceiveCoreAsync(CancellationToken.None)).Kind != ReceiveResultKind.End)
        {
        }
    }

    private protected override void AbortTransport()
    {
        _socket.Abort();
        _abort?.Invoke();
    }

    // The graceful close has already received the peer's end, or the abort makes the read fail.
    private protected override void CancelPendingReceive()
    {
    }

    private protected override void Release(bool gracefully) => _socket.Dispose();

    private bool TryTake(ValueWebSocketReceiveResult part, out Received received)
    {
        received = default;
        TrackPartialMessage(incomplete: !part.EndOfMessage);
        if (part.MessageType == WebSocketMessageType.Close)
        {
            received = End(CloseReason.PeerClosed);
            return true;
        }

        if (_skipToEndOfMessage)
        {
            _skipToEndOfMessage = !part.EndOfMessage;
            return false;
        }

        if (part.MessageType == WebSocketMessageType.Binary)
        {
            received = Skip(part, ProtocolError.NotText);
            return true;
        }

        _length += part.Count;
        if (_length > MaxMessageBytes)
        {
            received = Skip(part, ProtocolError.LongerThan(MaxMessageBytes));
            return true;
        }

        if (!part.EndOfMessage)
        {
            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, MaxMessageBytes + 1));
            }

            return false;
        }

        received = MessageReader.TryRead(_buffer.AsSpan(0, _length), out var message, out var error) ? Received.Of(message) : Received.FromError(error);
        _length = 0;
        return true;
    }

    private Received Skip(ValueWebSocketReceiveResult part, ProtocolError error)
    {
        _skipToEndOfMessage = !part.EndOfMessage;
        _length = 0;
        return Received.FromError(error);
    }
}
