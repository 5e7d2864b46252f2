using System.Diagnostics;
using System.Threading.Channels;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Peers;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Mesh.Transport;

namespace Mesh.Server.Links;

/// <summary>
/// Sends messages to one peer, one after the other, and waits for each reply. Uses one WebSocket that it keeps open if the peer supports it, and otherwise a new line
/// connection for each message. It finds out which of the two the peer supports, and checks again from time to time.
/// </summary>
internal sealed partial class PeerLink(
    ServerId self,
    PeerSettings peer,
    PeerLinkId id,
    TimeSpan replyTimeout,
    CoreInputQueue inputs,
    IPeerTransport transport,
    Action<MeshEvent> report,
    MessageLogger messages,
    TimeProvider time,
    ILogger logger) : IAsyncDisposable
{
    private const int QueueCapacity = 64;

    /// <summary>The time that line connections are used for a peer that did not accept a WebSocket, before a WebSocket is tried again.</summary>
    private static readonly TimeSpan LineFallbackTime = TimeSpan.FromMinutes(5);

    private readonly Channel<PeerSendEffect> _queue = Channel.CreateBounded<PeerSendEffect>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private PeerWebSocket? _webSocket;
    private Framing _framing;
    private long _linesSince;
    private long _session;

    public bool TrySend(in PeerSendEffect send) => _queue.Writer.TryWrite(send);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Activity.Current = null;
        try
        {
            await inputs.WatchAsync(ServeAllAsync(cancellationToken), cancellationToken);
        }
        finally
        {
            await DisposeAsync();
        }
    }

    private async Task ServeAllAsync(CancellationToken cancellationToken)
    {
        // ReadAllAsync would leave the synchronization context, which the simulation depends on.
        while (await _queue.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_queue.Reader.TryRead(out var send))
            {
                await ServeAsync(send, cancellationToken);
            }
        }
    }

    private async Task ServeAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        using var span = LoanSpans.StartRequest(send, self);
        if (span is not null)
        {
            send = send with { Message = send.Message with { TraceParent = span.Id } };
        }

        if (send.ReportOnSend is { } reported)
        {
            report(reported);
        }

        var (reply, failure) = await ExchangeAsync(send, cancellationToken);
        switch (reply)
        {
            case Rejection refused:
                failure = $"refused: {refused.Error}";
                break;
            case not null when PeerWebSocket.IsReply(send.Message, reply):
                await inputs.PeerReplyAsync(peer.Id, id, span is null ? reply : reply with { TraceParent = span.Id });
                return;
            case not null:
                failure = $"answered {reply.GetType().Name}";
                break;
            default:
                break;
        }

        if (failure is null)
        {
            return;
        }

        span?.SetStatus(ActivityStatusCode.Error, failure);
        LogFailed(send.Message.GetType().Name, peer.Id, failure);
        if (send.ExpectsReply)
        {
            await inputs.PeerFailedAsync(peer.Id, id, send.Message, failure);
        }
    }

    /// <summary>Sends a message and waits for its reply, if one is expected. Returns neither a reply nor a failure when a message without a reply was sent.</summary>
    private async Task<(MeshMessage? Reply, string? Failure)> ExchangeAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        if (_framing == Framing.Line && time.GetElapsedTime(_linesSince) < LineFallbackTime)
        {
            return await ExchangeLineAsync(send, cancellationToken);
        }

        using var timeout = new CancellationTokenSource(replyTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (_webSocket is not { IsOpen: true })
            {
                await DisposeAsync();
                _webSocket = new PeerWebSocket(await transport.ConnectAsync(peer, limit.Token), messages, peer.Id.Value, ++_session);
                await SetFramingAsync(Framing.WebSocket);
            }

            return await _webSocket.ExchangeAsync(send.Message, send.ExpectsReply, limit.Token);
        }
        catch (MeshDialException exception) when (exception.Failure == MeshDialFailure.NotWebSocket)
        {
            // The peer may only be slow, or about to stop. Only its reply over a line connection shows that it supports lines.
            _linesSince = time.GetTimestamp();
            return await ExchangeLineAsync(send, cancellationToken);
        }
        catch (MeshDialException exception)
        {
            return (null, exception.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // A late reply could be taken for the reply to the next message, so the connection is closed.
            await DisposeAsync();
            return (null, $"no answer within {replyTimeout}");
        }
    }

    private async Task<(MeshMessage? Reply, string? Failure)> ExchangeLineAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        var session = ++_session;
        if (!send.ExpectsReply)
        {
            if (!await transport.SendLineAsync(peer, send.Message, replyTimeout, cancellationToken))
            {
                _framing = default;
                return (null, Unreachable());
            }

            messages.Sent(send.Message, peer.Id.Value, session);
            return default;
        }

        var received = await transport.ExchangeLineAsync(peer, send.Message, replyTimeout, cancellationToken);
        if (received is not { Kind: ReceiveResultKind.End, EndReason: CloseReason.Unreachable })
        {
            messages.Sent(send.Message, peer.Id.Value, session);
        }

        if (received.Message is { } reply)
        {
            messages.Received(reply, peer.Id.Value, session);
        }

        if (received.Message is { } answer && PeerWebSocket.IsReply(send.Message, answer))
        {
            await SetFramingAsync(Framing.Line);
            return (answer, null);
        }

        // Another server with another protocol may have the address now.
        _framing = default;
        return received.Kind switch
        {
            ReceiveResultKind.Message => (received.Message, null),
            ReceiveResultKind.Error => (null, $"invalid reply: {received.Error}"),
            ReceiveResultKind.End when received.EndReason == CloseReason.Unreachable => (null, Unreachable()),
            ReceiveResultKind.End => (null, $"no answer: {received.EndReason}"),
            _ => throw new InvalidOperationException($"Unknown {received.Kind}."),
        };

        string Unreachable() => $"{peer.Endpoint} cannot be reached";
    }

    private async Task SetFramingAsync(Framing framing)
    {
        if (_framing != framing)
        {
            _framing = framing;
            LogFraming(peer.Id, framing);
            await inputs.PeerFramingAsync(peer.Id, id, framing);
        }
    }

    /// <summary>Closes the connection. The next message opens a new one, unless <see cref="RunAsync"/> has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_webSocket is { } webSocket)
        {
            _webSocket = null;
            await webSocket.DisposeAsync();
        }
    }

    [LoggerMessage(4001, LogLevel.Information, "{Peer} speaks {Framing}.")]
    private partial void LogFraming(ServerId peer, Framing framing);

    [LoggerMessage(4002, LogLevel.Debug, "{Message} to {Peer} failed: {Failure}.")]
    private partial void LogFailed(string message, ServerId peer, string failure);
}
