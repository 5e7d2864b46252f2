namespace Mesh.Server.Hosting.Options;

/// <summary>The configuration of a server: the section Mesh, as environment variables Mesh__ServerId and so on.</summary>
internal sealed class MeshOptions
{
    public const string Section = "Mesh";

    /// <summary>This server's UUID. Required.</summary>
    public string? ServerId { get; set; }

    /// <summary>host:port told to peers and workers. Default: the first address that is listened on.</summary>
    public string? Advertise { get; set; }

    /// <summary>The other servers. This server's own entry is skipped, so that all may share one list. Default: none.</summary>
    public List<PeerOptions> Peers { get; set; } = [];

    /// <summary>A secret that every HTTP and WebSocket client must present, of visible ASCII characters. Default: none, all are served.</summary>
    public string? Token { get; set; }

    /// <summary>What is presented to peers instead of <see cref="Token"/>. Default: none, <see cref="Token"/> is.</summary>
    public string? PeerToken { get; set; }

    public AcceptedTokensOptions AcceptedTokens { get; set; } = new();

    /// <summary>A directory with a file for each key, such as Mesh__Token, read again when it changes (<see cref="Configuration.SecretsDirectory"/>). Default: none.</summary>
    public string? SecretsDirectory { get; set; }

    /// <summary>Base URL of the dashboard, for the map's links to traces: {base}/traces/detail/{traceId}. Default: none, no links.</summary>
    public string? Dashboard { get; set => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>How long running tasks may go on when the server stops. Default: 10 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);

    public TimingOptions Timing { get; set; } = new();

    public BalancingOptions Balancing { get; set; } = new();

    public TasksOptions Tasks { get; set; } = new();

    public LoansOptions Loans { get; set; } = new();

    public ServerLeaseOptions Claim { get; set; } = new();

    public AdoptionOptions Adoption { get; set; } = new();

    public StoreOptions Store { get; set; } = new();

    public SessionsOptions Sessions { get; set; } = new();

    public LinePeersOptions LinePeers { get; set; } = new();

    public RedirectOptions Redirect { get; set; } = new();

    public TlsOptions Tls { get; set; } = new();

    public ProducerOptions Producer { get; set; } = new();

    public SupervisorOptions Supervisor { get; set; } = new();

    internal IEnumerable<PeerOptions> Others => Peers.Where(peer => peer.Id != ServerId);

    /// <summary>Values that could not be read, each in words: for the validator.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>Environment variables of settings that this server does not know; each is told in the log.</summary>
    internal List<string> Unknown { get; } = [];
}

internal sealed class PeerOptions
{
    /// <summary>The peer's UUID. Required.</summary>
    public string? Id { get; set; }

    /// <summary>host:port, or a service-discovery name such as http://server-b; with https:// before it, it is spoken to over TLS. Required.</summary>
    public string? Endpoint { get; set; }
}

/// <summary>Mesh__Store: what is asked of Redis.</summary>
internal sealed class StoreOptions
{
    /// <summary>Accepts tasks although Redis may delete them when it is full. Default: false.</summary>
    public bool AllowEviction { get; set; }
}

/// <summary>Mesh__Producer: demo load.</summary>
internal sealed class ProducerOptions
{
    /// <summary>Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>Tasks of one wave. Default: 200.</summary>
    public int Burst { get; set; } = 200;

    /// <summary>Time between two waves. Default: 40 s.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(40);
}

/// <summary>Mesh__Supervisor: reports of this server's performance.</summary>
internal sealed class SupervisorOptions
{
    /// <summary>host:port of the supervisor. Default: none, nothing is reported.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Time between two reports. Default: 10 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);
}
