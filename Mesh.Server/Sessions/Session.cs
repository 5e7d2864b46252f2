using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Core;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Mesh.Telemetry;
using Mesh.Transport;

namespace Mesh.Server.Sessions;

/// <summary>
/// One accepted connection: reads its messages into the loop, and sends what the loop wants sent. Bad input is answered here
/// (docs/protocol.md, "Bad input"): a line peer is closed then, unless the line was only an unknown message; a WebSocket peer may go on up to a limit.
/// </summary>
internal sealed partial class Session(SessionId id, MeshConnection connection, TokenGrant grant, CoreInputQueue inputs, SessionServices services, TimeProvider time, ILogger logger)
{
    // A line peer that was promised a reply is given more time than one that waits for nothing; it gives up by itself long before.
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

    /// <summary>Sends a message; called by the loop alone. A peer that takes too little is aborted.</summary>
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

    /// <summary>Reads until the connection ends; the loop hears of the end exactly once, after the last message.</summary>
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

    /// <summary>Ends a connection whose token is not accepted any more.</summary>
    public void CloseIfRevoked(MeshTokens tokens)
    {
        if (!tokens.IsValid(grant))
        {
            LogRevoked(connection.RemoteAddress);
            connection.Abort(CloseReason.Revoked);
        }
    }

    /// <summary>Aborts a connection that keeps silent, or does not end what it began. A WebSocket that has spoken once is left to its pings.</summary>
    public void DropIfIdle()
    {
        if (connection.IsClosing)
        {
            return;
        }

        if (connection.PartialMessageAge >= _options.MessageTimeout)
        {
            Drop(CloseReason.TooSlow, "Mesh__Sessions__MessageTimeout", "began a message and did not end it");
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

    // What is not read stays with the peer: it is slowed by its own socket. The pause ends with the connection.
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
        // A connection that is closing takes no more either: it goes on closing.
        if (!connection.IsClosing)
        {
            Drop(CloseReason.OutboxFull, "Mesh__Sessions__OutboxCapacity", $"takes too little: more than {_options.OutboxCapacity} messages wait for it");
        }
    }

    private void Drop(CloseReason reason, string option, string why)
    {
        // A peer that is silent may work on its task: what it was given stays with it.
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

        connection.TrySend(new Rejection($"This token does not permit what a {role.ToString().ToLowerInvariant()} sends"));
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

        // A line that is not whole, or has a known message's fault, is taken for a peer in disorder; a WebSocket tells where the next message begins.
        CountError(isLast: IsLine && !error.IsUnknownMessage);
    }

    private void CountError(bool isLast)
    {
        // The core refuses on the loop's thread, the session on its own: the first that reaches the limit closes.
        if ((Interlocked.Increment(ref _errors) > _options.MaxErrors || isLast) && Interlocked.Exchange(ref _isClosing, 1) == 0)
        {
            _closing = connection.CloseAsync(CloseReason.ProtocolError).AsTask();
        }
    }

    // The first implementations may shut their sending side down after one line, and wait for the reply.
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

/// <summary>What the sessions of one server have in common.</summary>
internal sealed record SessionServices(SessionsOptions Options, MeshMetrics Errors, AccessMetrics Metrics, MessageLogger Messages, LogRateLimiter LogLimiter);
