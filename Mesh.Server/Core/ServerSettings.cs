using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>The configuration of the core: the bound sections, and the parsed and resolved values. Immutable.</summary>
internal sealed record ServerSettings
{
    public required ServerId Id { get; init; }

    /// <summary>The address that this server sends to peers and workers.</summary>
    public required MeshEndpoint Advertise { get; init; }

    /// <summary>The peers at the start. <see cref="ServerCore.OnPeersChanged"/> changes them.</summary>
    public required IReadOnlyList<PeerSettings> Peers { get; init; }

    /// <summary>The addresses that workers may be sent to, in addition to those of the peers.</summary>
    public EndpointPatterns Redirects { get; init; } = EndpointPatterns.None;

    public TimingOptions Timing { get; init; } = new();

    public BalancingOptions Balancing { get; init; } = new();

    public TasksOptions Tasks { get; init; } = new();

    public LoansOptions Loans { get; init; } = new();

    public AdoptionOptions Adoption { get; init; } = new();

    public SessionsOptions Sessions { get; init; } = new();
}

/// <summary>A configured peer.</summary>
/// <param name="Endpoint">The resolved address. RETURN messages to workers of this peer contain it.</param>
internal sealed record PeerSettings(ServerId Id, MeshEndpoint Endpoint)
{
    /// <summary>Whether connections to this peer use TLS.</summary>
    public bool IsTls { get; init; }
}
