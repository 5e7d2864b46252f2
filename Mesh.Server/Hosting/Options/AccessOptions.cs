namespace Mesh.Server.Hosting.Options;

/// <summary>Mesh__Sessions: the limits of connections (docs/security.md, "Limits").</summary>
internal sealed class SessionsOptions
{
    /// <summary>Connections of workers and peers at a time. Default: 25,000.</summary>
    public int MaxConnections { get; set; } = 25_000;

    /// <summary>Connections of all kinds from one address at a time; an IPv6 /64 network counts as one. Default: 10,000.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 10_000;

    /// <summary>Workers known at a time, here and away. Default: 50,000.</summary>
    public int MaxWorkers { get; set; } = 50_000;

    /// <summary>
    /// A connection that has not sent its first message or request, or a line connection that waits for nothing, is dropped after this. Default: 10 s.
    /// </summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A peer that has begun a message must end it within this. Default: 10 s.</summary>
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest message taken, bytes; the protocol lets peers send 65,536. Default: 65,536.</summary>
    public int MaxMessageBytes { get; set; } = 65_536;

    /// <summary>Messages of one connection in a second; a peer that sends more is read no faster. Default: 20,000.</summary>
    public int MaxMessagesPerSecond { get; set; } = 20_000;

    /// <summary>Messages that may wait for a peer to take them; one that lets more gather is dropped. Default: 1,024.</summary>
    public int OutboxCapacity { get; set; } = 1_024;

    /// <summary>Bad messages that a WebSocket peer may send before it is dropped. Default: 10.</summary>
    public int MaxErrors { get; set; } = 10;

    /// <summary>Requests with a wrong token in a minute, after which an address other than loopback is locked out for the rest of it. Default: 100.</summary>
    public int MaxFailedTokens { get; set; } = 100;
}

/// <summary>Mesh__LinePeers.</summary>
internal sealed class LinePeersOptions
{
    /// <summary>
    /// Addresses and networks (10.0.0.7, 10.0.0.0/8, fd00::/8), besides loopback, that may speak lines when there is a token, which lines cannot carry.
    /// Default: none.
    /// </summary>
    public List<string> Allowed { get; set; } = [];
}

/// <summary>Mesh__Redirect: where this server's workers may be sent.</summary>
internal sealed class RedirectOptions
{
    /// <summary>Addresses, besides those that peers are configured with, that a peer may ask workers to: host, host:port or *.domain. Default: none.</summary>
    public List<string> Allowed { get; set; } = [];
}

/// <summary>Mesh__Tls: of connections to peers. What this server itself listens on is Kestrel's configuration.</summary>
internal sealed class TlsOptions
{
    /// <summary>A PEM file of the authorities that peers' certificates are trusted by, instead of the system's. Default: none, the system's.</summary>
    public string? CaFile { get; set; }
}
