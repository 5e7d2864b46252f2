using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Telemetry;
using Mesh.Transport;

namespace Mesh.Server.Sessions;

/// <summary>
/// One accepted connection: reads its messages into the loop, and sends what the loop wants sent. Bad input is answered here
/// (docs/protocol.md, "Bad input"): a line peer is closed then, a WebSocket peer may go on up to a limit.
/// </summary>
internal sealed partial class Session(
    SessionId id, MeshConnection connection, MeshInbox inbox, SessionsOptions options, MeshMetrics metrics, TimeProvider time, ILogger logger)
{
    // A line peer that was promised a reply is given more time than one that waits for nothing; it gives up by itself long before.
    private const int PatienceWithReplies = 6;

    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastActivity = time.GetTimestamp();
    private int _awaited;
    private int _errors;
    private volatile bool _spoke;
    private volatile bool _inputEnded;
    private Task? _closing;

    public SessionId Id => id;

    private bool IsLine => connection.Framing == Framing.Line;

    /// <summary>Sends a message; called by the loop alone. A peer that takes too little is aborted.</summary>
    public void Send(MeshMessage message)
    {
        if (!connection.TrySend(message))
        {
            connection.Abort(CloseReason.OutboxFull);
            return;
        }

        if (IsLine)
        {
            Volatile.Write(ref _lastActivity, time.GetTimestamp());
            if (Interlocked.Decrement(ref _awaited) <= 0 && _inputEnded)
            {
                _answered.TrySetResult();
            }
        }

        if (message is Rejection)
        {
            CountError();
        }
    }

    /// <summary>Reads until the connection ends; the loop hears of the end exactly once, after the last message.</summary>
    public async Task RunAsync()
    {
        var reason = await ReceiveAllAsync();
        if (IsLine && reason == CloseReason.PeerClosed)
        {
            await AnswerWhatWasAskedAsync();
        }

        _answered.TrySetResult();
        await inbox.SessionClosedAsync(id);
        await connection.CloseAsync(reason);
        if (_closing is { } closing)
        {
            await closing;
        }
    }

    public async Task CloseAsync(CloseReason reason) => await connection.CloseAsync(reason);

    /// <summary>Aborts a connection that keeps silent. A WebSocket that has spoken once is left to its pings.</summary>
    public void DropIfIdle()
    {
        if (_spoke && !IsLine)
        {
            return;
        }

        var limit = Volatile.Read(ref _awaited) > 0 ? options.IdleTimeout * PatienceWithReplies : options.IdleTimeout;
        if (time.GetElapsedTime(Volatile.Read(ref _lastActivity)) >= limit)
        {
            if (!_spoke)
            {
                LogSilent(connection.RemoteAddress, limit);
            }

            connection.Abort(CloseReason.Silent);
        }
    }

    private static bool IsAnswered(MeshMessage message) => message is GetTask or Protocol.TaskStatus or Heartbeat or WorkerRequest or CommandRelease;

    private async Task<CloseReason> ReceiveAllAsync()
    {
        while (true)
        {
            var received = await connection.ReceiveAsync(CancellationToken.None);
            if (_closing is not null)
            {
                return CloseReason.ProtocolError;
            }

            switch (received.Kind)
            {
                case ReceivedKind.Message:
                    Note(received.Message!);
                    if (!await inbox.MessageAsync(id, connection.Framing, received.Message!))
                    {
                        return CloseReason.Stopping;
                    }

                    break;
                case ReceivedKind.Error:
                    Refuse(received.Error);
                    break;
                case ReceivedKind.End:
                    return received.EndReason;
                default:
                    throw new InvalidOperationException($"Unknown {received.Kind}.");
            }
        }
    }

    private void Note(MeshMessage message)
    {
        _spoke = true;
        if (IsLine)
        {
            Volatile.Write(ref _lastActivity, time.GetTimestamp());
            if (IsAnswered(message))
            {
                Interlocked.Increment(ref _awaited);
            }
        }
    }

    private void Refuse(ProtocolError error)
    {
        LogBadInput(connection.RemoteAddress, error);
        metrics.CountProtocolError(error.Kind, connection.Framing);
        connection.TrySend(new Rejection(error.ToString()));
        CountError();
    }

    private void CountError()
    {
        // The core refuses on the loop's thread, the session on its own: the one that reaches the limit closes.
        if (Interlocked.Increment(ref _errors) == (IsLine ? 1 : options.MaxErrors + 1))
        {
            _closing = connection.CloseAsync(CloseReason.ProtocolError).AsTask();
        }
    }

    // The first implementations may shut their sending side down after one line, and wait for the reply.
    private async Task AnswerWhatWasAskedAsync()
    {
        _inputEnded = true;
        if (Volatile.Read(ref _awaited) <= 0)
        {
            return;
        }

        try
        {
            await _answered.Task.WaitAsync(options.IdleTimeout, time);
        }
        catch (TimeoutException)
        {
            LogUnanswered(connection.RemoteAddress);
        }
    }
}
