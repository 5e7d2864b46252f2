using Mesh.Protocol;

namespace Mesh.Server.Core.Peers;

/// <summary>Sends and answers heartbeats, and decides from them which peers are alive.</summary>
internal sealed class PeerHeartbeatMonitor(CoreState core)
{
    /// <summary>The maximum number of unknown servers to remember. Beyond it, all are forgotten, and reported again on their next message.</summary>
    private const int MaxUnknownServers = 100;

    /// <summary>The minimum time between a contact with a peer and an extra heartbeat to it because of an unknown server.</summary>
    private static readonly TimeSpan IdentityCheckInterval = TimeSpan.FromSeconds(1);

    private readonly TimingOptions _settings = core.Settings.Timing;
    private readonly HashSet<ServerId> _unknownServers = [];

    /// <summary>
    /// The time at which <see cref="OnTimer"/> must be called next, or null when no peer needs it. A message from a peer moves the end of its timeout and not this time, which can
    /// therefore be too early.
    /// </summary>
    public DateTimeOffset? NextDeadline { get; private set; }

    /// <summary>Begins to send heartbeats to a peer.</summary>
    public void Add(PeerEntry peer, DateTimeOffset now)
    {
        _unknownServers.Remove(peer.Id);
        peer.DeadSince = now;
        SetNextHeartbeat(peer, now);
    }

    /// <summary>Marks a peer dead whose address was changed, until the server at the new address answers a heartbeat.</summary>
    public void OnMoved(PeerEntry peer, DateTimeOffset now)
    {
        SetNextHeartbeat(peer, now);
        if (peer.Alive)
        {
            MarkDead(peer, "its address was changed", now);
        }
    }

    /// <summary>Marks peers dead that have not been heard of for the timeout, and sends the heartbeats that are due.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        if (!(NextDeadline <= now))
        {
            return;
        }

        NextDeadline = null;
        foreach (var peer in core.Peers.All)
        {
            if (TimeoutOf(peer) <= now)
            {
                MarkDead(peer, "no message arrived within the heartbeat timeout", now);
            }

            if (!peer.HeartbeatInFlight && peer.NextHeartbeat <= now)
            {
                SendHeartbeat(peer);
            }

            NoteDeadline(TimeoutOf(peer));
            NoteDeadline(peer.HeartbeatInFlight ? null : peer.NextHeartbeat);
        }
    }

    public void OnHeartbeat(SessionId session, Heartbeat heartbeat, DateTimeOffset now)
    {
        core.Send(session, new HeartbeatResponse(core.Settings.Id) { Load = OwnLoad(), TraceParent = heartbeat.TraceParent });
        if (core.Peers.FindSender(heartbeat.Server) is { } peer)
        {
            RecordContact(peer, now);
            peer.SetLoad(heartbeat.Load ?? peer.Load, now);
        }
        else
        {
            OnUnknownServer(heartbeat.Server, now);
        }
    }

    /// <summary>
    /// Handles a message from a server whose id no peer has. The sender can be a peer that has a new id since its last heartbeat. So a heartbeat goes to each peer
    /// that may have a new id, and its reply names the current one.
    /// </summary>
    public void OnUnknownServer(ServerId server, DateTimeOffset now)
    {
        if (server == core.Settings.Id)
        {
            return;
        }

        if (_unknownServers.Count >= MaxUnknownServers)
        {
            _unknownServers.Clear();
        }

        if (_unknownServers.Add(server))
        {
            core.Report(new UnknownServerDetected(server));
        }

        foreach (var peer in core.Peers.All)
        {
            if (!peer.HeartbeatInFlight && (peer.ReportedId is not null || !peer.Alive) && !(now - peer.LastSeen < IdentityCheckInterval))
            {
                SendHeartbeat(peer);
            }
        }
    }

    /// <summary>
    /// Checks the id in a reply from a peer's address. An id that no other server has is accepted as the peer's new id (<see cref="PeerEntry.ReportedId"/>).
    /// </summary>
    /// <returns>An error when the id belongs to another server, else null.</returns>
    public string? CheckIdentity(PeerEntry peer, ServerId name)
    {
        if (name == peer.Id)
        {
            peer.ReportedId = null;
            return null;
        }

        if (name == core.Settings.Id || core.Peers.Find(name) is not null)
        {
            return $"SERVER_UUID: {peer.Settings.Endpoint}, the address of the peer \"{peer.Id}\", answers as \"{name}\"";
        }

        if (peer.ReportedId != name)
        {
            peer.ReportedId = name;
            core.Report(new PeerRenamed(peer.Id, peer.Settings.Endpoint, name));
        }

        return null;
    }

    /// <summary>
    /// Records that a message arrived from a peer. A dead peer does not become alive by this, because the message does not show that this server can reach it. So
    /// a heartbeat is sent immediately.
    /// </summary>
    public void RecordContact(PeerEntry peer, DateTimeOffset now)
    {
        peer.LastSeen = now;
        if (!peer.Alive && !peer.HeartbeatInFlight)
        {
            SendHeartbeat(peer);
        }
    }

    public void OnResponse(PeerEntry peer, HeartbeatResponse response, DateTimeOffset now)
    {
        peer.HeartbeatInFlight = false;
        peer.Failures = 0;
        peer.LastSeen = now;
        peer.SetLoad(response.Load, now);
        SetNextHeartbeat(peer, now + ApplyJitter(_settings.HeartbeatInterval));
        if (!peer.Alive)
        {
            peer.MarkAlive(now);
            NoteDeadline(TimeoutOf(peer));
            core.Report(new PeerAvailabilityChanged(peer.Id, IsAlive: true));
        }
    }

    /// <summary>Handles a heartbeat that was not answered. It is repeated after a delay; after too many failures in a row the peer is marked dead.</summary>
    public void OnFailure(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.HeartbeatInFlight = false;
        peer.Failures++;
        SetNextHeartbeat(peer, now + ApplyJitter(_settings.HeartbeatBackoff.Delay(peer.Failures)));
        if (peer.Alive && peer.Failures > _settings.HeartbeatRetries)
        {
            MarkDead(peer, reason, now);
        }
    }

    public ServerLoad OwnLoad() => new(core.Tasks.Depth, core.Workers.Homes.Idle);

    private DateTimeOffset? TimeoutOf(PeerEntry peer) => peer.Alive ? peer.LastSeen + _settings.HeartbeatTimeout : null;

    private void SetNextHeartbeat(PeerEntry peer, DateTimeOffset next)
    {
        peer.NextHeartbeat = next;
        NoteDeadline(next);
    }

    private void NoteDeadline(DateTimeOffset? due) => NextDeadline = NextDeadline < due ? NextDeadline : due ?? NextDeadline;

    private void SendHeartbeat(PeerEntry peer)
    {
        peer.HeartbeatInFlight = true;
        core.Effects.PeerSends.Add(new PeerSendEffect(peer.Id, new Heartbeat(core.Settings.Id) { Load = OwnLoad() }, ExpectsReply: true));
    }

    private void MarkDead(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.MarkDead(now);
        core.Report(new PeerAvailabilityChanged(peer.Id, IsAlive: false, reason));
    }

    private TimeSpan ApplyJitter(TimeSpan delay) => delay * (1 + (_settings.HeartbeatJitter * ((2 * core.Random.NextDouble()) - 1)));
}
