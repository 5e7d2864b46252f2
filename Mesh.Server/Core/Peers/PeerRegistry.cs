using Mesh.Protocol;

namespace Mesh.Server.Core.Peers;

/// <summary>A configured peer and what is known of it.</summary>
internal sealed class PeerEntry(PeerSettings settings)
{
    public ServerId Id => Settings.Id;

    public PeerSettings Settings { get; } = settings;

    public bool Alive { get; set; }

    public DateTimeOffset? LastSeen { get; set; }

    /// <summary>When it was found dead, or since when it has not been reached.</summary>
    public DateTimeOffset DeadSince { get; set; }

    public ServerLoad? Load { get; set; }

    /// <summary>What it calls itself at its address, where that is not <see cref="Id"/>: some name themselves anew at each start.</summary>
    public ServerId? ReportedId { get; set; }

    /// <summary>What it speaks, once found out.</summary>
    public Framing? Framing { get; set; }

    /// <summary>Heartbeats failed in a row.</summary>
    public int Failures { get; set; }

    public bool HeartbeatInFlight { get; set; }

    public DateTimeOffset NextHeartbeat { get; set; }

    /// <summary>It refused to lend: not asked again before this.</summary>
    public DateTimeOffset NextRequestAt { get; set; }

    public int Refusals { get; set; }

    /// <summary>Whether this is the address that the peer is configured with; the names of the loopback address count as one.</summary>
    public bool IsAt(MeshEndpoint endpoint) => Settings.Endpoint.Port == endpoint.Port && IsAt(endpoint.Host);

    /// <summary>The same of the host alone.</summary>
    public bool IsAt(string host) => string.Equals(Canonical(Settings.Endpoint.Host), Canonical(host), StringComparison.OrdinalIgnoreCase);

    private static string Canonical(string host) => host is "127.0.0.1" or "::1" ? "localhost" : host;
}

/// <summary>The configured peers, by id and by address.</summary>
internal sealed class PeerRegistry(IReadOnlyList<PeerSettings> peers)
{
    private readonly Dictionary<ServerId, PeerEntry> _peers = peers.ToDictionary(peer => peer.Id, peer => new PeerEntry(peer));

    public IReadOnlyCollection<PeerEntry> All => _peers.Values;

    public PeerEntry? Find(ServerId id) => _peers.GetValueOrDefault(id);

    /// <summary>The peer that gives this id in a message: its configured one, or what it calls itself at its configured address.</summary>
    public PeerEntry? FindSender(ServerId id) => Find(id) ?? All.FirstOrDefault(peer => peer.ReportedId == id);

    /// <summary>The peer that a worker names as its home: as in <see cref="FindSender"/>, by its address, or by the host alone where one peer has it.</summary>
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

    /// <summary>A peer by the id it gives, or by the address it is configured with.</summary>
    public PeerEntry? Find(ServerId? id, MeshEndpoint endpoint) =>
        id is { } known && FindSender(known) is { } peer ? peer : All.FirstOrDefault(peer => peer.IsAt(endpoint));
}
