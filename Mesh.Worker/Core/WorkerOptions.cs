using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>The configuration of a worker: the section Mesh, as environment variables Mesh__WorkerId and so on.</summary>
internal sealed record WorkerOptions
{
    public const string Section = "Mesh";

    /// <summary>The worker's UUID, unique in the mesh. Default: WORKER_ and six random hex digits.</summary>
    public string WorkerId { get; init; } = $"WORKER_{Guid.NewGuid():n}"[..13];

    public HomeServerOptions HomeServer { get; init; } = new();

    /// <summary>The transport to the home server. A borrower is dialled with it too, until it is known to use lines. Default: WebSocket.</summary>
    public WorkerTransport Transport { get; init; } = WorkerTransport.WebSocket;

    /// <summary>The number of tasks at a time, 1 to 1024. Default: 1.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>Simulated work: every task takes this much longer. Default: none.</summary>
    public TimeSpan WorkTime { get; init; }

    /// <summary>The time that running tasks have to end when the worker stops. After it they are cancelled and handed back. Default: 10 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time between two RUNNING of a task that takes long. Shorter than the LeaseTime of the servers. Default: 10 s.</summary>
    public TimeSpan RunningInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The mesh's shared secret, or a token for workers. It is read again when the configuration changes. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>A directory with a file for each key, such as Mesh__Token. It is read again when it changes (<see cref="MeshAspire.ServiceDefaults.SecretsDirectory"/>). Default: none.</summary>
    public string? SecretsDirectory { get; init; }

    public RedirectOptions Redirect { get; init; } = new();

    public TlsOptions Tls { get; init; } = new();

    internal WorkerId Id => new(WorkerId);

    internal ServerId Home => new(HomeServer.Id);

    internal Framing Framing => Transport == WorkerTransport.Tcp ? Framing.Line : Framing.WebSocket;

    /// <summary>Time limits that cannot be configured.</summary>
    internal WorkerTiming Timing { get; init; } = new();

    /// <summary>The values that could not be read, one message each. The validator reports them.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>The environment variables of settings that this worker does not know. Each is logged.</summary>
    internal List<string> Unknown { get; } = [];
}

internal sealed record HomeServerOptions
{
    /// <summary>The UUID of the home server. The worker presents it to borrowers. Required.</summary>
    public string Id { get; init; } = "";

    /// <summary>host:port, a URL or a service-discovery name. Connections to home and to borrowers use TLS when it begins with https:// or wss://. Required.</summary>
    public string Endpoint { get; init; } = "";
}

internal sealed record RedirectOptions
{
    /// <summary>The borrowers that the worker accepts: host, host:port or *.domain. Default: none, all that its home server chooses.</summary>
    public List<string> Allowed { get; init; } = [];
}

/// <summary>Decides which borrowers a REDIRECT may name. Without patterns all are allowed, because the home server has a policy of its own.</summary>
internal sealed class RedirectPolicy(IEnumerable<string> patterns)
{
    private readonly EndpointPatterns _patterns = EndpointPatterns.Of(patterns);

    public bool Allows(MeshEndpoint target) => _patterns.IsEmpty || _patterns.Match(target);
}

internal sealed record TlsOptions
{
    /// <summary>A PEM file with the authorities that sign the certificates of servers. Default: none, those of the operating system.</summary>
    public string? CaFile { get; init; }
}

internal enum WorkerTransport
{
    WebSocket = 1,

    /// <summary>Raw lines, one connection for each message.</summary>
    Tcp = 2,
}

/// <summary>The time limits of the core. None is part of the protocol. Each is chosen to fit a limit of the protocol.</summary>
internal sealed record WorkerTiming
{
    /// <summary>The time limit for the answer to a get_task on a WebSocket. A server holds it for less. A line exchange has its own limit.</summary>
    public TimeSpan PollResponseTimeout { get; init; } = ProtocolLimits.PollResponseTimeout;

    /// <summary>A status without an ACK is sent again on the same connection after this time.</summary>
    public TimeSpan StatusResendInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The worker goes home without a RETURN when a borrower cannot be reached for this time.</summary>
    public TimeSpan BorrowerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The first delay before a server is dialled again. Each further delay is twice as long.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay before a server is dialled again.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time that running tasks have to end after a REDIRECT or RETURN. After it they are cancelled and handed back.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time after a cancellation for handlers to end and for the ACKs of their statuses. After it the worker leaves.</summary>
    public TimeSpan HandBackTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A NO_TASK that arrives sooner than this was not held by the server.</summary>
    public TimeSpan MinHoldTime { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The first pause before the next get_task to a server that does not hold them. Each further pause is twice as long.</summary>
    public TimeSpan MinPollDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause before the next get_task.</summary>
    public TimeSpan MaxPollDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The number of times that a status is sent. After them it is dropped, and its task's lease ends.</summary>
    public int MaxStatusSends { get; init; } = 10;
}
