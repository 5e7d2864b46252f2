using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>A connection of the line protocol over a pipe: a dialed socket, or a connection that Kestrel accepted. Each line is one object.</summary>
public sealed class LineConnection : MeshConnection
{
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly Action _abort;
    private bool _framingLost;

    /// <param name="transport">The pipe. When its output is completed, the connection ends gracefully.</param>
    /// <param name="remoteAddress">The peer's address, for logs.</param>
    /// <param name="options">The options of the connection.</param>
    /// <param name="abort">Ends the connection at once. Called at most once, on any thread, and not after <see cref="MeshConnection.Closed"/>.</param>
    /// <param name="resetProbe">Implements <see cref="MeshConnection.IsReset"/>. Null when the transport cannot detect a reset.</param>
    public LineConnection(IDuplexPipe transport, string remoteAddress, MeshConnectionOptions options, Action abort, Func<bool>? resetProbe = null)
        : base(Framing.Line, remoteAddress, options, resetProbe)
    {
        ArgumentNullException.ThrowIfNull(transport);
        _input = transport.Input;
        _output = transport.Output;
        _abort = abort;
        Start();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<Received> ReceiveCoreAsync(CancellationToken cancellationToken)
    {
        if (_framingLost)
        {
            return End(CloseReason.ProtocolError);
        }

        try
        {
            while (true)
            {
                var result = await _input.ReadAsync(cancellationToken);
                if (TryTake(in result, out var received))
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
        var before = _output.UnflushedBytes;
        MessageWriter.Write(_output, message);
        _output.Write(LineFraming.End);
        return (int)(_output.UnflushedBytes - before);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private protected override async ValueTask FlushAsync()
    {
        var result = await _output.FlushAsync();
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new IOException("The peer accepts no more data");
        }
    }

    private protected override async Task FinishAsync()
    {
        if (Reason != CloseReason.ProtocolError)
        {
            return;
        }

        // A socket that is closed with unread input resets the connection, and the peer may not receive the error that was sent to it.
        await AcquireReceiveAsync();
        ReadResult result;
        do
        {
            result = await _input.ReadAsync();
            _input.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted && !result.IsCanceled);
    }

    private protected override void AbortTransport()
    {
        _input.CancelPendingRead();
        _output.CancelPendingFlush();
        _abort();
    }

    private protected override void CancelPendingReceive() => _input.CancelPendingRead();

    private protected override void Release(bool gracefully)
    {
        _input.Complete();
        _output.Complete(gracefully ? null : new IOException("The connection was aborted"));
    }

    private bool TryTake(in ReadResult result, out Received received)
    {
        var buffer = result.Buffer;
        if (LineFraming.TryReadLine(ref buffer, out var line, out var error, MaxMessageBytes))
        {
            TrackPartialMessage(incomplete: false);
            received = Parse(in line);
            _input.AdvanceTo(buffer.Start);
            return true;
        }

        if (error.Kind != 0)
        {
            _framingLost = true;
            received = Received.FromError(error);
        }
        else if (result.IsCanceled)
        {
            received = End(CloseReason.Done);
        }
        else if (result.IsCompleted)
        {
            // A complete object is accepted without a line end. A part of an object means that the peer closed the connection within a message.
            received = MessageReader.TryRead(in buffer, out var message, out _) ? Received.Of(message) : End(CloseReason.PeerClosed);
        }
        else
        {
            TrackPartialMessage(incomplete: !buffer.IsEmpty);
            _input.AdvanceTo(buffer.Start, buffer.End);
            received = default;
            return false;
        }

        _input.AdvanceTo(buffer.End);
        return true;
    }

    private static Received Parse(in ReadOnlySequence<byte> line) =>
        MessageReader.TryRead(in line, out var message, out var error) ? Received.Of(message) : Received.FromError(error);
}
