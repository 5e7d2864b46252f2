using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Gives each message between servers, and each that was not answered, to the part that it concerns.</summary>
internal sealed class PeerTalk(CoreState core, PeerWatch peers, Lender lender, Borrower borrower, Requester requester)
{
    /// <summary>A message on a connection that the other side opened.</summary>
    public void OnMessage(SessionId session, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case Heartbeat heartbeat:
                peers.OnHeartbeat(session, heartbeat, now);
                break;
            case WorkerRequest request:
                HeardFrom(core.Peers.Find(request.Server, request.Requestor), now);
                lender.OnRequest(session, request, now);
                break;
            case CommandRelease release:
                HeardFrom(core.Peers.FindCaller(release.Server), now);
                if (core.Peers.FindCaller(release.Server) is null)
                {
                    peers.OnStranger(release.Server, now);
                }

                lender.OnRelease(session, release, now);
                break;
            default:
                OnUnasked(session, message, now);
                break;
        }
    }

    /// <summary>A peer's reply on this server's own link.</summary>
    public void OnReply(ServerId id, MeshMessage reply, DateTimeOffset now)
    {
        if (core.Peers.Find(id) is not { } peer)
        {
            return;
        }

        if (ServerOf(reply) is { } server && peers.WhyNot(peer, server) is { } reason)
        {
            core.Tell(new MessageRefused(default, reply, reason));
            Fail(peer, reply, reason, now);
            return;
        }

        Take(peer, reply, now);
    }

    /// <summary>A message with <see cref="PeerSendEffect.ExpectsReply"/> was not answered.</summary>
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
                requester.OnFailed(peer, now);
                break;
            case CommandRelease:
                borrower.OnReleaseFailed(peer, now);
                break;
            default:
                throw new InvalidOperationException($"No reply is awaited to {request.GetType().Name}.");
        }
    }

    public void OnFraming(ServerId id, Framing framing)
    {
        if (core.Peers.Find(id) is { } peer)
        {
            peer.Framing = framing;
        }
    }

    private void Take(PeerEntry peer, MeshMessage message, DateTimeOffset now)
    {
        switch (message)
        {
            case HeartbeatResponse response:
                peers.OnResponse(peer, response, now);
                break;
            case Available available:
                requester.OnAvailable(peer, available, now);
                break;
            case Unavailable unavailable:
                requester.OnUnavailable(peer, unavailable, now);
                break;
            case ReleaseAck ack:
                borrower.OnReleaseAck(peer, ack, now);
                break;
            case ReleaseCompleted completed:
                borrower.OnCompleted(peer, completed, now);
                break;
            default:
                core.Tell(new MessageRefused(default, message, $"\"{peer.Id}\" answered with {message.GetType().Name}"));
                break;
        }
    }

    /// <summary>What is usually a reply may come on a connection that the peer opened.</summary>
    private void OnUnasked(SessionId session, MeshMessage message, DateTimeOffset now)
    {
        var server = ServerOf(message) ?? throw new InvalidOperationException($"Message {message.GetType().Name} names no server.");
        if (core.Peers.FindCaller(server) is not { } peer)
        {
            peers.OnStranger(server, now);
            core.Refuse(session, message, $"SERVER_UUID: \"{server}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        HeardFrom(peer, now);
        Take(peer, message, now);
    }

    /// <summary>The server that a reply names as its sender.</summary>
    private static ServerId? ServerOf(MeshMessage message) => message switch
    {
        HeartbeatResponse m => m.Server,
        Available m => m.Server,
        Unavailable m => m.Server,
        ReleaseAck m => m.Server,
        ReleaseCompleted m => m.Server,
        _ => null,
    };

    /// <summary>A reply that does not count is as good as none.</summary>
    private void Fail(PeerEntry peer, MeshMessage reply, string reason, DateTimeOffset now)
    {
        switch (reply)
        {
            case HeartbeatResponse:
                peers.OnFailure(peer, reason, now);
                break;
            case Available or Unavailable:
                requester.OnFailed(peer, now);
                break;
            case ReleaseAck:
                borrower.OnReleaseFailed(peer, now);
                break;
            default:
                break;
        }
    }

    private void HeardFrom(PeerEntry? peer, DateTimeOffset now)
    {
        if (peer is not null)
        {
            peers.Heard(peer, now);
        }
    }
}
