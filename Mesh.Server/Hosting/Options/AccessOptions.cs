namespace Mesh.Server.Hosting.Options;

/// <summary>
/// The section Mesh__AcceptedTokens: tokens that are accepted in addition to Mesh__Token. A token is replaced without a gap while the old one and the new one are both
/// accepted (docs/security.md, "The tokens").
/// </summary>
internal sealed record AcceptedTokensOptions
{
    /// <summary>Tokens that permit everything that Mesh__Token permits. Default: none.</summary>
    public List<string> All { get; init; } = [];

    /// <summary>Tokens that permit the HTTP API and the map. Default: none.</summary>
    public List<string> Clients { get; init; } = [];

    /// <summary>Tokens that permit the messages of workers. Default: none.</summary>
    public List<string> Workers { get; init; } = [];

    /// <summary>Tokens that permit the messages of servers. Default: none.</summary>
    public List<string> Peers { get; init; } = [];
}

/// <summary>The section Mesh__LinePeers: which addresses may use the line protocol.</summary>
internal sealed record LinePeersOptions
{
    /// <summary>
    /// Addresses and networks (10.0.0.7, 10.0.0.0/8, fd00::/8), in addition to loopback, whose line connections are accepted when a token is configured. A line connection
    /// cannot present one. Default: none.
    /// </summary>
    public List<string> Allowed { get; init; } = [];
}

/// <summary>The section Mesh__Redirect: where workers may be redirected.</summary>
internal sealed record RedirectOptions
{
    /// <summary>
    /// Addresses that a peer may redirect this server's workers to, in addition to the configured addresses of the peers: host, host:port or *.domain. Default: none.
    /// </summary>
    public List<string> Allowed { get; init; } = [];
}

/// <summary>The section Mesh__Tls: connections to peers. The addresses that this server listens on are configured by Kestrel.</summary>
internal sealed record TlsOptions
{
    /// <summary>A PEM file with the authorities that sign the certificates of peers. Default: none, the authorities of the operating system are used.</summary>
    public string? CaFile { get; init; }
}
