using System.Diagnostics;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Telemetry;
using Mesh.Telemetry;
using Mesh.Transport;

namespace Mesh.Server.Links;

/// <summary>
/// The way to one peer: one message after the other, each with its reply. Over one kept WebSocket where the peer speaks it, else over a line
/// connection a message; which of the two, the link finds out, and asks again now and then.
/// </summary>
internal sealed partial class PeerLink(
    ServerId self,
    PeerSettings peer,
    TimeSpan replyTimeout,
    CoreInputQueue inputs,
    MeshDialer dialer,
    MeshEventLog events,
    MessageLogger messages,
    TimeProvider time,
    ILogger logger) : IAsyncDisposable
{
    private const int QueueCapacity = 64;

    /// <summary>How long a peer that did not take a WebSocket is spoken to in lines before it is asked again.</summary>
    private static readonly TimeSpan LineFallbackTime = TimeSpan.FromMinutes(5);

    private readonly Channel<PeerSendEffect> _queue = Channel.CreateBounded<PeerSendEffect>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly LineExchange _lines = new(dialer, time);
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
            await foreach (var send in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                await ServeAsync(send, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server stops.
        }
#pragma warning disable CA1031 // Any other exception is a bug: the loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
        finally
        {
            await DisposeAsync();
        }
    }

    private async Task ServeAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        using var span = LoanSpans.StartRequest(send, self);
        if (span is not null)
        {
            send = send with { Message = send.Message with { TraceParent = span.Id } };
        }

        if (send.ReportOnSend is { } told)
        {
            events.Report(told);
        }

        var (reply, failure) = await ExchangeAsync(send, cancellationToken);
        switch (reply)
        {
            case Rejection refused:
                failure = $"refused: {refused.Error}";
                break;
            case not null when PeerWebSocket.IsReply(send.Message, reply):
                await inputs.PeerReplyAsync(peer.Id, span is null ? reply : reply with { TraceParent = span.Id });
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
            await inputs.PeerFailedAsync(peer.Id, send.Message, failure);
        }
    }

    /// <summary>Sends a message and waits for its reply, if one is expected. Neither a reply nor a failure means that it went out.</summary>
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
                _webSocket = new PeerWebSocket(
                    await dialer.DialAsync(peer.Endpoint, Framing.WebSocket, limit.Token), messages, peer.Id.Value, ++_session);
                await SetFramingAsync(Framing.WebSocket);
            }

            return await _webSocket.ExchangeAsync(send.Message, send.ExpectsReply, limit.Token);
        }
        catch (MeshDialException exception) when (exception.Failure == MeshDialFailure.NotWebSocket)
        {
            // It may only be slow, or about to stop: that it speaks lines, its reply to one tells.
            _linesSince = time.GetTimestamp();
            return await ExchangeLineAsync(send, cancellationToken);
        }
        catch (MeshDialException exception)
        {
            return (null, exception.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // With the connection goes the late reply, which could be taken for that of the next message.
            await DisposeAsync();
            return (null, $"no answer within {replyTimeout}");
        }
    }

    private async Task<(MeshMessage? Reply, string? Failure)> ExchangeLineAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        var session = ++_session;
        if (!send.ExpectsReply)
        {
            if (!await _lines.SendOneWayAsync(peer.Endpoint, send.Message, replyTimeout, cancellationToken))
            {
                _framing = default;
                return (null, Unreachable());
            }

            messages.Sent(send.Message, peer.Id.Value, session);
            return default;
        }

        var received = await _lines.RequestAsync(peer.Endpoint, send.Message, replyTimeout, cancellationToken);
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

        // Whatever is at that address now may speak something else.
        _framing = default;
        return received.Kind switch
        {
            ReceiveResultKind.Message => (received.Message, null),
            ReceiveResultKind.Error => (null, $"answered what is no message: {received.Error}"),
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
            await inputs.PeerFramingAsync(peer.Id, framing);
        }
    }

    /// <summary>Hangs up; once <see cref="RunAsync"/> has ended, for good.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_webSocket is { } webSocket)
        {
            _webSocket = null;
            await webSocket.DisposeAsync();
        }
    }
}
