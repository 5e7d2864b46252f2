using Mesh.Protocol;

namespace Mesh.Server.Core.Peers;

/// <summary>A peer and its state.</summary>
internal sealed class PeerEntry(PeerSettings settings, PeerLinkId link)
{
    private DateTimeOffset _pausedUntil;
    private DateTimeOffset _refusedUntil;

    public ServerId Id => Settings.Id;

    public PeerSettings Settings { get; private set; } = settings;

    /// <summary>The current link. What an earlier link reports is ignored.</summary>
    public PeerLinkId Link { get; private set; } = link;

    /// <summary>True when the server is no longer a configured peer and its loans have not ended. No new loan with it begins.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>True from an answered heartbeat until the heartbeats fail or time out.</summary>
    public bool Alive { get; private set; }

    /// <summary>The time of the last message from the peer, or null.</summary>
    public DateTimeOffset? LastSeen { get; set; }

    /// <summary>The time at which the peer was marked dead, or at which this server started if the peer has not been alive since.</summary>
    public DateTimeOffset DeadSince { get; set; }

    public ServerLoad? Load { get; set; }

    /// <summary>The id that the peer gives at its address, when it differs from <see cref="Id"/>. Some servers choose a new id at each start.</summary>
    public ServerId? ReportedId { get; set; }

    /// <summary>The framing that the peer uses, or null while it is not known.</summary>
    public Framing? Framing { get; set; }

    /// <summary>The number of heartbeats in a row that failed.</summary>
    public int Failures { get; set; }

    public bool HeartbeatInFlight { get; set; }

    public DateTimeOffset NextHeartbeat { get; set; }

    /// <summary>The peer is not asked for workers before this time. It is set after a refusal, and when workers are released to the peer.</summary>
    public DateTimeOffset NextRequestAt => _pausedUntil > _refusedUntil ? _pausedUntil : _refusedUntil;

    /// <summary>The time at which the peer became alive, or at which it last reported more idle workers than before.</summary>
    public DateTimeOffset OfferedSince { get; private set; }

    /// <summary>The number of worker requests in a row that the peer refused or did not answer.</summary>
    public int Refusals { get; set; }

    /// <summary>True while this server gives way to the peer: it returns the peer's workers and requests no more (<see cref="Loans.Balancer.GivesWay"/>).</summary>
    public bool HasPriority { get; set; }

    /// <summary>True when the peer is configured with this address. "localhost", 127.0.0.1 and ::1 count as the same host.</summary>
    public bool IsAt(MeshEndpoint endpoint) => Settings.Endpoint.Port == endpoint.Port && IsAt(endpoint.Host);

    /// <summary>True when the peer is configured with this host, on any port.</summary>
    public bool IsAt(string host) => string.Equals(Canonical(Settings.Endpoint.Host), Canonical(host), StringComparison.OrdinalIgnoreCase);

    /// <summary>Replaces the address. Nothing is known about the server at the new one.</summary>
    public void Move(PeerSettings settings, PeerLinkId link)
    {
        (Settings, Link) = (settings, link);
        (ReportedId, Framing, Failures, HeartbeatInFlight) = (null, null, 0, false);
    }

    /// <summary>Prevents requests for workers until a time. A pause that ends later stays.</summary>
    public void PauseRequests(DateTimeOffset until) => _pausedUntil = until > _pausedUntil ? until : _pausedUntil;

    /// <summary>As <see cref="PauseRequests"/>, but the pause ends early when the peer reports more idle workers.</summary>
    public void PauseAfterRefusal(DateTimeOffset until) => _refusedUntil = until > _refusedUntil ? until : _refusedUntil;

    /// <summary>Marks the peer as alive after an answered heartbeat.</summary>
    public void MarkAlive(DateTimeOffset now) => (Alive, OfferedSince) = (true, now);

    /// <summary>Marks the peer as dead. Its load is not known any more.</summary>
    public void MarkDead(DateTimeOffset now) => (Alive, DeadSince, Load) = (false, now, null);

    /// <summary>Sets <see cref="Load"/> to that of a heartbeat. More idle workers than before end the pause after refusals.</summary>
    public void SetLoad(ServerLoad? load, DateTimeOffset now)
    {
        if (load?.Idle > (Load?.Idle ?? 0))
        {
            _refusedUntil = default;
            OfferedSince = now;
        }

        Load = load;
    }

    private static string Canonical(string host) => host is "127.0.0.1" or "::1" ? "localhost" : host;
}

/// <summary>The peers, by id and by address. <see cref="PeerMembership"/> adds and removes them.</summary>
internal sealed class PeerRegistry
{
    private readonly Dictionary<ServerId, PeerEntry> _peers = [];

    public IReadOnlyCollection<PeerEntry> All => _peers.Values;

    public void Add(PeerEntry peer) => _peers.Add(peer.Id, peer);

    public void Remove(PeerEntry peer) => _peers.Remove(peer.Id);

    public PeerEntry? Find(ServerId id) => _peers.GetValueOrDefault(id);

    /// <summary>Finds the peer that sends messages with this id: its configured id, or the id that it gives at its configured address.</summary>
    public PeerEntry? FindSender(ServerId id) => Find(id) ?? All.FirstOrDefault(peer => peer.ReportedId == id);

    /// <summary>
    /// Finds the peer that a worker names as its home: by id as in <see cref="FindSender"/>, by address, or by host when exactly one peer has that host
    /// (docs/protocol.md, "Nodes of the second generation").
    /// </summary>
    public PeerEntry? FindHomeServer(ServerId home)
    {
        if (FindSender(home) is { } peer)
        {
            return peer;
        }

        if (MeshEndpoint.TryParse(home.Value, out var endpoint))
        {
            return All.FirstOrDefault(peer => peer.IsAt(endpoint));
        }

        PeerEntry? only = null;
        foreach (var other in All)
        {
            if (other.IsAt(home.Value))
            {
                if (only is not null)
                {
                    return null;
                }

                only = other;
            }
        }

        return only;
    }

    /// <summary>Finds a peer by the id in a message, or by its configured address when no peer has that id.</summary>
    public PeerEntry? Find(ServerId? id, MeshEndpoint endpoint) =>
        id is { } known && FindSender(known) is { } peer ? peer : All.FirstOrDefault(peer => peer.IsAt(endpoint));
}

/// <summary>The number of a link to a peer. A core uses each number once.</summary>
internal readonly record struct PeerLinkId(long Value);
