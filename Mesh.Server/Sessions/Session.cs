using System.Diagnostics;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Core;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Mesh.Transport;

namespace Mesh.Server.Sessions;

/// <summary>
/// One accepted connection. Posts its messages to the loop, and sends the messages of the loop. Answers bad input itself (docs/protocol.md, "Bad input"):
/// a line connection is then closed, unless the line is only an unknown message. A WebSocket stays open up to a limit of errors.
/// </summary>
internal sealed partial class Session(SessionId id, MeshConnection connection, TokenGrant grant, CoreInputQueue inputs, SessionServices services, TimeProvider time, ILogger logger)
{
    // A line peer that waits for a reply is given more time than an idle one. It gives up long before this time.
    private const int PendingReplyTimeoutFactor = 6;

    private readonly SessionsOptions _options = services.Options;
    private readonly ReceiveRateLimiter _receiveLimiter = new(services.Options.MaxMessagesPerSecond, time);
    private readonly ResetDetector _resets = new(() => connection.IsReset, connection.Closed, time);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastActivity = time.GetTimestamp();
    private int _pendingReplies;
    private int _errors;
    private int _isClosing;
    private volatile bool _hasReceivedMessage;
    private bool _slowed;
    private volatile bool _inputEnded;
    private volatile bool _dropped;
    private Task? _closing;

    public SessionId Id => id;

    private bool IsLine => connection.Framing == Framing.Line;

    /// <summary>Sends a message. Called only by the loop. Aborts the connection when its outbox is full.</summary>
    public void Send(MeshMessage message)
    {
        if (!connection.TrySend(message))
        {
            DropSlowReader();
            return;
        }

        services.Messages.Sent(message, connection.RemoteAddress, id.Value);
        if (message is NewTask)
        {
            _receiveLimiter.AddAllowance();
            _resets.OnTaskSent(_inputEnded);
        }

        if (IsLine)
        {
            Volatile.Write(ref _lastActivity, time.GetTimestamp());
            if (Interlocked.Decrement(ref _pendingReplies) <= 0 && _inputEnded)
            {
                _answered.TrySetResult();
            }
        }

        if (message is Rejection)
        {
            CountError(isLast: false);
        }
    }

    /// <summary>Reads messages until the connection ends. Posts the end to the loop exactly once, after the last message.</summary>
    public async Task RunAsync()
    {
        Activity.Current = null;
        var reason = CloseReason.Lost;
        try
        {
            reason = await ReceiveAllAsync();
            if (IsLine && reason == CloseReason.PeerClosed)
            {
                await WaitForPendingRepliesAsync();
                reason = await _resets.WasResetAsync() ? CloseReason.Reset : reason;
            }
        }
        finally
        {
            _answered.TrySetResult();
            await inputs.SessionClosedAsync(id, _dropped ? SessionEnd.Dropped : reason == CloseReason.Reset ? SessionEnd.Reset : SessionEnd.Closed);
            await connection.CloseAsync(reason);
            if (_closing is { } closing)
            {
                await closing;
            }
        }
    }

    public async Task CloseAsync(CloseReason reason) => await connection.CloseAsync(reason);

    /// <summary>Aborts the connection when its token is not accepted any more.</summary>
    public void CloseIfRevoked(MeshTokens tokens)
    {
        if (!tokens.IsValid(grant))
        {
            LogRevoked(connection.RemoteAddress);
            connection.Abort(CloseReason.Revoked);
        }
    }

    /// <summary>
    /// Aborts the connection when the peer sends nothing or does not complete a message. A WebSocket that has sent a message is checked by its pings instead.
    /// </summary>
    public void DropIfIdle()
    {
        if (connection.IsClosing)
        {
            return;
        }

        if (connection.PartialMessageAge >= _options.MessageTimeout)
        {
            Drop(CloseReason.TooSlow, "Mesh__Sessions__MessageTimeout", "did not complete a message");
            return;
        }

        if (_hasReceivedMessage && !IsLine)
        {
            return;
        }

        var limit = Volatile.Read(ref _pendingReplies) > 0 ? _options.IdleTimeout * PendingReplyTimeoutFactor : _options.IdleTimeout;
        if (time.GetElapsedTime(Volatile.Read(ref _lastActivity)) >= limit)
        {
            if (_hasReceivedMessage)
            {
                connection.Abort(CloseReason.Silent);
            }
            else
            {
                Drop(CloseReason.Silent, "Mesh__Sessions__IdleTimeout", "sent nothing");
            }
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
                case ReceiveResultKind.Message when !grant.Permits(received.Message!, out var role):
                    RefuseRole(role);
                    break;
                case ReceiveResultKind.Message:
                    OnReceived(received.Message!);
                    if (!await inputs.MessageAsync(id, connection.Framing, LoanSpans.Receive(received.Message!)))
                    {
                        return CloseReason.Stopping;
                    }

                    break;
                case ReceiveResultKind.Error:
                    Refuse(received.Error);
                    break;
                case ReceiveResultKind.End:
                    return received.EndReason;
                default:
                    throw new InvalidOperationException($"Unknown {received.Kind}.");
            }

            if (_receiveLimiter.GetDelay(received.Message) is { Ticks: > 0 } pause)
            {
                await SlowDownAsync(pause);
            }
        }
    }

    // Unread input stays in the sockets, so flow control slows the peer. The pause ends with the connection.
    private async Task SlowDownAsync(TimeSpan pause)
    {
        services.Metrics.Slow();
        if (!_slowed)
        {
            _slowed = true;
            LogSlowed(connection.RemoteAddress, _options.MaxMessagesPerSecond);
        }

        await ((Task)connection.Closed).WaitAsync(pause, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void DropSlowReader()
    {
        // A connection that is closing accepts no messages either. The close continues.
        if (!connection.IsClosing)
        {
            Drop(CloseReason.OutboxFull, "Mesh__Sessions__OutboxCapacity", $"reads too slowly: more than {_options.OutboxCapacity} messages wait for it");
        }
    }

    private void Drop(CloseReason reason, string option, string why)
    {
        // A silent peer may still work on its task, so the task stays assigned to it.
        _dropped = reason != CloseReason.Silent;
        services.Metrics.Drop(option);
        if (services.LogLimiter.TryAcquire())
        {
            LogDropped(connection.RemoteAddress, why, option);
        }

        connection.Abort(reason);
    }

    private void OnReceived(MeshMessage message)
    {
        _hasReceivedMessage = true;
        services.Messages.Received(message, connection.RemoteAddress, id.Value);
        if (IsLine)
        {
            Volatile.Write(ref _lastActivity, time.GetTimestamp());
            if (IsAnswered(message))
            {
                Interlocked.Increment(ref _pendingReplies);
            }
        }
    }

    private void RefuseRole(TokenRoles role)
    {
        if (services.LogLimiter.TryAcquire())
        {
            LogNotPermitted(connection.RemoteAddress, role);
        }

        connection.TrySend(new Rejection($"This token does not permit the messages of a {role.ToString().ToLowerInvariant()}"));
        CountError(isLast: false);
    }

    private void Refuse(ProtocolError error)
    {
        if (services.LogLimiter.TryAcquire())
        {
            LogBadInput(connection.RemoteAddress, error);
        }

        services.Errors.CountProtocolError(error.Kind, connection.Framing);
        var rejection = new Rejection(
            error.Kind == ProtocolErrorKind.TooLong && _options.MaxMessageBytes < ProtocolLimits.MaxMessageBytes ? $"{error} (Mesh__Sessions__MaxMessageBytes)" : error.ToString());
        if (connection.TrySend(rejection))
        {
            services.Messages.Sent(rejection, connection.RemoteAddress, id.Value);
        }

        if (IsLine && error.IsUnknownMessage)
        {
            _hasReceivedMessage = true;
            Volatile.Write(ref _lastActivity, time.GetTimestamp());
        }

        // After an incomplete line or a faulty known message, a line peer is assumed to be broken. In a WebSocket the start of the next message is always known.
        CountError(isLast: IsLine && !error.IsUnknownMessage);
    }

    private void CountError(bool isLast)
    {
        // The loop sends rejections on its thread, and the session on its own. The first of them that reaches the limit closes the connection.
        if ((Interlocked.Increment(ref _errors) > _options.MaxErrors || isLast) && Interlocked.Exchange(ref _isClosing, 1) == 0)
        {
            _closing = connection.CloseAsync(CloseReason.ProtocolError).AsTask();
        }
    }

    // The first implementations may close their sending side after one line, and then wait for the reply.
    private async Task WaitForPendingRepliesAsync()
    {
        _inputEnded = true;
        if (Volatile.Read(ref _pendingReplies) <= 0)
        {
            return;
        }

        try
        {
            await _answered.Task.WaitAsync(_options.IdleTimeout, time);
        }
        catch (TimeoutException)
        {
            LogUnanswered(connection.RemoteAddress);
        }
    }
}

/// <summary>The services that all sessions of a server share.</summary>
internal sealed record SessionServices(SessionsOptions Options, MeshMetrics Errors, AccessMetrics Metrics, MessageLogger Messages, LogRateLimiter LogLimiter);
