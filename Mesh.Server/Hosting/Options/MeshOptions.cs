using Mesh.Server.Core;

namespace Mesh.Server.Hosting.Options;

/// <summary>The configuration of a server: the section Mesh, given by environment variables such as Mesh__ServerId.</summary>
internal sealed record MeshOptions
{
    public const string Section = "Mesh";

    /// <summary>This server's UUID. Required.</summary>
    public string? ServerId { get; init; }

    /// <summary>The host:port that peers and workers connect to. Default: the first address that the server listens on.</summary>
    public string? Advertise { get; init; }

    /// <summary>The other servers. The entry of this server itself is ignored, so that all servers can use one list. A change takes effect without a restart. Default: none.</summary>
    public List<PeerOptions> Peers { get; init; } = [];

    public PeersFromDnsOptions PeersFromDns { get; init; } = new();

    /// <summary>A secret of visible ASCII characters that every HTTP and WebSocket client must present. Default: none, all requests are served.</summary>
    public string? Token { get; init; }

    /// <summary>The token that is presented to peers instead of <see cref="Token"/>. Default: none, <see cref="Token"/> is presented.</summary>
    public string? PeerToken { get; init; }

    public AcceptedTokensOptions AcceptedTokens { get; init; } = new();

    /// <summary>A directory with one file for each key, such as Mesh__Token. It is read again when it changes (<see cref="Mesh.Common.SecretsDirectory"/>). Default: none.</summary>
    public string? SecretsDirectory { get; init; }

    /// <summary>The base URL of the dashboard. The map links to {base}/traces/detail/{traceId}. Default: none, no links.</summary>
    public string? Dashboard { get; init => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>The time that running tasks have to finish when the server stops. Default: 10 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimingOptions Timing { get; init; } = new();

    public BalancingOptions Balancing { get; init; } = new();

    public TasksOptions Tasks { get; init; } = new();

    public LoansOptions Loans { get; init; } = new();

    public ServerLeaseOptions Claim { get; init; } = new();

    public AdoptionOptions Adoption { get; init; } = new();

    public StoreOptions Store { get; init; } = new();

    public SessionsOptions Sessions { get; init; } = new();

    public LinePeersOptions LinePeers { get; init; } = new();

    public RedirectOptions Redirect { get; init; } = new();

    public TlsOptions Tls { get; init; } = new();

    public ProducerOptions Producer { get; init; } = new();

    public SupervisorOptions Supervisor { get; init; } = new();

    internal IEnumerable<PeerOptions> Others => Peers.Where(peer => peer.Id != ServerId);

    /// <summary>The values that could not be read, one message each. The validator reports them.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>The environment variables of unknown settings. Each is logged.</summary>
    internal List<string> Unknown { get; } = [];
}

internal sealed record PeerOptions
{
    /// <summary>The peer's UUID. Required.</summary>
    public string? Id { get; init; }

    /// <summary>host:port, or a service-discovery name such as http://server-b. Connections use TLS when it begins with https://. Required.</summary>
    public string? Endpoint { get; init; }
}

/// <summary>The section Mesh__PeersFromDns: further peers, which are found by a DNS name. A change takes effect without a restart.</summary>
internal sealed record PeersFromDnsOptions
{
    /// <summary>A DNS name, such as that of a headless service of Kubernetes. Each server behind it, except this one, is a peer. Default: none.</summary>
    public string? Name { get; init => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>The port of these servers. Default: 8080.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The time between two look-ups. Default: 30 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A server that the name has not led to for this time is no longer a peer. Default: 10 min.</summary>
    public TimeSpan RemoveAfter { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>The section Mesh__Claim: the server lease, which ensures that only one process serves under this server's id.</summary>
internal sealed record ServerLeaseOptions
{
    /// <summary>Another process can acquire the lease when it has not been renewed for this time. Default: 5 s.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The time that a process waits for the lease of another process before it ends. Default: 1 min.</summary>
    public TimeSpan WaitLimit { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>The section Mesh__Store: requirements on Redis.</summary>
internal sealed record StoreOptions
{
    /// <summary>Whether tasks are accepted although Redis may evict them when its memory is full. Default: false.</summary>
    public bool AllowEviction { get; init; }
}

/// <summary>The section Mesh__Producer: demo load.</summary>
internal sealed record ProducerOptions
{
    /// <summary>Whether demo load is produced. Default: false.</summary>
    public bool Enabled { get; init; }

    /// <summary>The number of tasks of one wave. Default: 200.</summary>
    public int Burst { get; init; } = 200;

    /// <summary>The time between two waves. Default: 40 s.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(40);
}

/// <summary>The section Mesh__Supervisor: reports of this server's performance.</summary>
internal sealed record SupervisorOptions
{
    /// <summary>The host:port of the supervisor. Default: none, nothing is reported.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The time between two reports. Default: 10 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
}
