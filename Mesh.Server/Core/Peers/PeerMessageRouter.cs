using Mesh.Protocol;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Core.Peers;

/// <summary>Dispatches messages between servers, and requests that were not answered, to the component that handles them.</summary>
internal sealed class PeerMessageRouter(CoreState core, PeerHeartbeatMonitor peers, Lender lender, Borrower borrower, LoanRequester loanRequester)
{
    /// <summary>Handles a message on a connection that the other server opened.</summary>
    public void OnMessage(SessionId session, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case Heartbeat heartbeat:
                peers.OnHeartbeat(session, heartbeat, now);
                break;
            case WorkerRequest request:
                RecordContact(core.Peers.Find(request.Server, request.Requestor), now);
                lender.OnRequest(session, request, now);
                break;
            case CommandRelease release:
                RecordContact(core.Peers.FindSender(release.Server), now);
                if (core.Peers.FindSender(release.Server) is null)
                {
                    peers.OnUnknownServer(release.Server, now);
                }

                lender.OnRelease(session, release, now);
                break;
            default:
                OnUnsolicited(session, message, now);
                break;
        }
    }

    /// <summary>Handles a peer's reply on the connection that this server opened. Replies from another server than that peer are rejected.</summary>
    public void OnReply(ServerId id, MeshMessage reply, DateTimeOffset now)
    {
        if (core.Peers.Find(id) is not { } peer)
        {
            return;
        }

        if (GetSender(reply) is { } server && peers.CheckIdentity(peer, server) is { } reason)
        {
            core.Report(new MessageRejected(default, reply, reason));
            HandleInvalidReply(peer, reply, reason, now);
            return;
        }

        HandleReply(peer, reply, now);
    }

    /// <summary>Handles a request with <see cref="PeerSendEffect.ExpectsReply"/> that was not answered.</summary>
    public void OnFailed(ServerId id, MeshMessage request, string reason, DateTimeOffset now)
    {
        if (core.Peers.Find(id) is not { } peer)
        {
            return;
        }

        switch (request)
        {
            case Heartbeat:
                peers.OnFailure(peer, reason, now);
                break;
            case WorkerRequest:
                loanRequester.OnFailed(peer, now);
                break;
            case CommandRelease:
                borrower.OnReleaseFailed(peer, now);
                break;
            default:
                throw new InvalidOperationException($"{request.GetType().Name} expects no reply.");
        }
    }

    public void OnFraming(ServerId id, Framing framing)
    {
        if (core.Peers.Find(id) is { } peer)
        {
            peer.Framing = framing;
        }
    }

    /// <summary>Treats the requests that a replaced link has not answered as failed.</summary>
    public void OnLinkReplaced(PeerEntry peer, DateTimeOffset now)
    {
        loanRequester.OnLinkReplaced(peer, now);
        borrower.OnReleaseFailed(peer, now);
    }

    private void HandleReply(PeerEntry peer, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case HeartbeatResponse response:
                peers.OnResponse(peer, response, now);
                break;
            case Available available:
                loanRequester.OnAvailable(peer, available, now);
                break;
            case Unavailable unavailable:
                loanRequester.OnUnavailable(peer, unavailable, now);
                break;
            case ReleaseAck ack:
                borrower.OnReleaseAck(peer, ack, now);
                break;
            case ReleaseCompleted completed:
                borrower.OnReleaseCompleted(peer, completed, now);
                break;
            default:
                core.Report(new MessageRejected(default, message, $"\"{peer.Id}\" answered with {message.GetType().Name}"));
                break;
        }
    }

    /// <summary>Handles a reply that arrives on a connection that the peer opened. It is rejected when its sender is not a peer.</summary>
    private void OnUnsolicited(SessionId session, MeshMessage message, DateTimeOffset now)
    {
        var server = GetSender(message) ?? throw new InvalidOperationException($"Message {message.GetType().Name} names no server.");
        if (core.Peers.FindSender(server) is not { } peer)
        {
            peers.OnUnknownServer(server, now);
            core.Reject(session, message, $"SERVER_UUID: \"{server}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        RecordContact(peer, now);
        HandleReply(peer, message, now);
    }

    /// <summary>Returns the sender that a reply names, or null for messages that are not replies.</summary>
    private static ServerId? GetSender(MeshMessage message) => message switch
    {
        HeartbeatResponse m => m.Server,
        Available m => m.Server,
        Unavailable m => m.Server,
        ReleaseAck m => m.Server,
        ReleaseCompleted m => m.Server,
        _ => null,
    };

    /// <summary>Treats the request that an invalid reply answers as failed.</summary>
    private void HandleInvalidReply(PeerEntry peer, MeshMessage reply, string reason, DateTimeOffset now)
    {
        switch (reply)
        {
            case HeartbeatResponse:
                peers.OnFailure(peer, reason, now);
                break;
            case Available or Unavailable:
                loanRequester.OnFailed(peer, now);
                break;
            case ReleaseAck:
                borrower.OnReleaseFailed(peer, now);
                break;
            default:
                break;
        }
    }

    private void RecordContact(PeerEntry? peer, DateTimeOffset now)
    {
        if (peer is not null)
        {
            peers.RecordContact(peer, now);
        }
    }
}
