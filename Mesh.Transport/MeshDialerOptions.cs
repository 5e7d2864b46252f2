using System.Security.Cryptography.X509Certificates;

namespace Mesh.Transport;

/// <summary>How to dial a peer.</summary>
public sealed record MeshDialerOptions
{
    /// <summary>How long the TCP connection may take to come about, and the TLS handshake after it. Default: 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a peer that took the TCP connection may take to answer the WebSocket handshake. Default: 2 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The secret to present, asked for at each WebSocket handshake and sent as a bearer token; raw lines have no place for one. Default: none.</summary>
    public Func<string?>? Token { get; init; }

    /// <summary>Whether both framings go over TLS. Default: false.</summary>
    public bool UseTls { get; init; }

    /// <summary>The authorities that certificates are trusted by. Default: none, the system's.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>Of the connections that come about. Its clock is the dialler's too.</summary>
    public MeshConnectionOptions Connection { get; init; } = new();
}
