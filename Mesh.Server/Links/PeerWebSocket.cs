using Mesh.Common;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Server.Links;

/// <summary>An open WebSocket to a peer. One request at a time waits for its reply. Other messages are dropped.</summary>
internal sealed class PeerWebSocket : IAsyncDisposable
{
    private readonly IPeerConnection _connection;
    private readonly MessageLogger _messages;
    private readonly string _peer;
    private readonly long _session;
    private readonly Task _reading;
    private volatile Pending? _pending;
    private volatile bool _ended;

    /// <param name="peer">The name for the message log, like <paramref name="session"/>.</param>
    public PeerWebSocket(IPeerConnection connection, MessageLogger messages, string peer, long session)
    {
        _connection = connection;
        (_messages, _peer, _session) = (messages, peer, session);
        _reading = ReadAsync();
    }

    public bool IsOpen => !_ended;

    /// <summary>Returns whether a message is of the type that answers a request (docs/protocol.md, "Messages").</summary>
    public static bool IsReply(MeshMessage request, MeshMessage reply) => request switch
    {
        Heartbeat => reply is HeartbeatResponse,
        WorkerRequest => reply is Available or Unavailable,
        CommandRelease => reply is ReleaseAck,
        _ => false,
    };

    /// <summary>Sends a message and waits for its reply, if one is expected.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<(MeshMessage? Reply, string? Failure)> ExchangeAsync(MeshMessage message, bool expectsReply, CancellationToken cancellationToken)
    {
        var pending = expectsReply ? new Pending(message) : null;
        _pending = pending;
        if (_ended || !_connection.TrySend(message))
        {
            return (null, "the connection was lost");
        }

        _messages.Sent(message, _peer, _session);
        if (pending is null)
        {
            return default;
        }

        // Task.WaitAsync would leave the synchronization context, which the simulation depends on.
        using var canceled = cancellationToken.UnsafeRegister(static (waiting, token) => ((Pending)waiting!).Reply.TrySetCanceled(token), pending);
        var reply = await pending.Reply.Task;
        return reply is null ? (null, "the connection was lost") : (reply, null);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        while (true)
        {
            var received = await _connection.ReceiveAsync(CancellationToken.None);
            switch (received.Kind)
            {
                case ReceiveResultKind.Message:
                    _messages.Received(received.Message!, _peer, _session);
                    if (_pending is { } pending && (received.Message is Rejection || IsReply(pending.Request, received.Message!)))
                    {
                        _pending = null;
                        pending.Reply.TrySetResult(received.Message);
                    }

                    break;
                case ReceiveResultKind.Error:
                    break;
                case ReceiveResultKind.End:
                    _ended = true;
                    _pending?.Reply.TrySetResult(null);
                    return;
                default:
                    throw new InvalidOperationException($"Unknown {received.Kind}.");
            }
        }
    }

    private sealed record Pending(MeshMessage Request)
    {
        public TaskCompletionSource<MeshMessage?> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
