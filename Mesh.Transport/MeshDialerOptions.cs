using System.Security.Cryptography.X509Certificates;

namespace Mesh.Transport;

/// <summary>The options for dialing a peer.</summary>
public sealed record MeshDialerOptions
{
    /// <summary>The time limit of the TCP connection, and of the TLS handshake after it. Default: 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The time limit of the WebSocket handshake, after the TCP connection is established. Default: 2 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Returns the token to present. It is called at each WebSocket handshake, and the token is sent as a bearer token. Line connections cannot present a token. Default: none.
    /// </summary>
    public Func<string?>? Token { get; init; }

    /// <summary>Whether WebSockets and line connections use TLS. Default: false.</summary>
    public bool UseTls { get; init; }

    /// <summary>The trusted certificate authorities. Default: none, the authorities of the operating system are used.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>The options of the established connections. The dialer uses the same clock.</summary>
    public MeshConnectionOptions Connection { get; init; } = new();
}
