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
    MeshInbox inbox,
    MeshDialer dialer,
    MeshEventLog events,
    MessageLog messages,
    TimeProvider time,
    ILogger logger) : IAsyncDisposable
{
    private const int QueueCapacity = 64;

    /// <summary>How long a peer that did not take a WebSocket is spoken to in lines before it is asked again.</summary>
    private static readonly TimeSpan LinesFor = TimeSpan.FromMinutes(5);

    private readonly Channel<PeerSendEffect> _queue = Channel.CreateBounded<PeerSendEffect>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly LineExchange _lines = new(dialer, time);
    private PeerConversation? _conversation;
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
            await inbox.PostAsync(new(LoopInput.Broken) { Subject = exception });
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

        if (send.Told is { } told)
        {
            events.Tell(told);
        }

        var (reply, failure) = await ExchangeAsync(send, cancellationToken);
        switch (reply)
        {
            case Rejection refused:
                failure = $"refused: {refused.Error}";
                break;
            case not null when PeerConversation.IsReply(send.Message, reply):
                await inbox.PeerReplyAsync(peer.Id, span is null ? reply : reply with { TraceParent = span.Id });
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
            await inbox.PeerFailedAsync(peer.Id, send.Message, failure);
        }
    }

    /// <summary>Sends a message and waits for its reply, if one is expected. Neither a reply nor a failure means that it went out.</summary>
    private async Task<(MeshMessage? Reply, string? Failure)> ExchangeAsync(PeerSendEffect send, CancellationToken cancellationToken)
    {
        if (_framing == Framing.Line && time.GetElapsedTime(_linesSince) < LinesFor)
        {
            return await ExchangeLineAsync(send, cancellationToken);
        }

        using var timeout = new CancellationTokenSource(replyTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (_conversation is not { IsOpen: true })
            {
                await DisposeAsync();
                _conversation = new PeerConversation(
                    await dialer.DialAsync(peer.Endpoint, Framing.WebSocket, limit.Token), messages, peer.Id.Value, ++_session);
                await SpeakAsync(Framing.WebSocket);
            }

            return await _conversation.ExchangeAsync(send.Message, send.ExpectsReply, limit.Token);
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
            if (!await _lines.TellAsync(peer.Endpoint, send.Message, replyTimeout, cancellationToken))
            {
                _framing = default;
                return (null, Unreachable());
            }

            messages.Sent(send.Message, peer.Id.Value, session);
            return default;
        }

        var received = await _lines.AskAsync(peer.Endpoint, send.Message, replyTimeout, cancellationToken);
        if (received is not { Kind: ReceivedKind.End, EndReason: CloseReason.Unreachable })
        {
            messages.Sent(send.Message, peer.Id.Value, session);
        }

        if (received.Message is { } reply)
        {
            messages.Received(reply, peer.Id.Value, session);
        }

        if (received.Message is { } answer && PeerConversation.IsReply(send.Message, answer))
        {
            await SpeakAsync(Framing.Line);
            return (answer, null);
        }

        // Whatever is at that address now may speak something else.
        _framing = default;
        return received.Kind switch
        {
            ReceivedKind.Message => (received.Message, null),
            ReceivedKind.Error => (null, $"answered what is no message: {received.Error}"),
            ReceivedKind.End when received.EndReason == CloseReason.Unreachable => (null, Unreachable()),
            ReceivedKind.End => (null, $"no answer: {received.EndReason}"),
            _ => throw new InvalidOperationException($"Unknown {received.Kind}."),
        };

        string Unreachable() => $"{peer.Endpoint} cannot be reached";
    }

    private async Task SpeakAsync(Framing framing)
    {
        if (_framing != framing)
        {
            _framing = framing;
            LogSpeaks(peer.Id, framing);
            await inbox.PeerFramingAsync(peer.Id, framing);
        }
    }

    /// <summary>Hangs up; once <see cref="RunAsync"/> has ended, for good.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_conversation is { } conversation)
        {
            _conversation = null;
            await conversation.DisposeAsync();
        }
    }
}
