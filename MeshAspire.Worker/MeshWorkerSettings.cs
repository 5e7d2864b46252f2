using Mesh.Protocol;
using MeshAspire.Worker.Core;

namespace MeshAspire.Worker;

/// <summary>The settings of a worker: the section Mesh of the configuration, as environment variables Mesh__WorkerId and so on.</summary>
public sealed class MeshWorkerSettings
{
    internal const string Section = "Mesh";

    /// <summary>The worker's UUID, unique in the mesh. Default: WORKER_ and six random hex digits.</summary>
    public string WorkerId { get; set; } = $"WORKER_{Guid.NewGuid():n}"[..13];

    /// <summary>The home server.</summary>
    public HomeServerSettings HomeServer { get; set; } = new();

    /// <summary>The transport to the home server. A borrower is dialled with it too, until it is known to use lines. Default: WebSocket.</summary>
    public WorkerTransport Transport { get; set; } = WorkerTransport.WebSocket;

    /// <summary>The number of tasks at a time, 1 to 1024. Default: 1.</summary>
    public int Concurrency { get; set; } = 1;

    /// <summary>Simulated work: every task takes this much longer. Default: none.</summary>
    public TimeSpan WorkTime { get; set; }

    /// <summary>The time that running tasks have to end when the worker stops. After it they are cancelled and handed back. Default: 10 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The time between two RUNNING of a task that takes long. Shorter than the LeaseTime of the servers. Default: 10 s.</summary>
    public TimeSpan RunningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The mesh's shared secret, or a token for workers. It is read again when the configuration changes. Default: none.</summary>
    public string? Token { get; set; }

    /// <summary>A directory with a file for each key, such as Mesh__Token. It is read again when it changes. Only the configuration can set it. Default: none.</summary>
    public string? SecretsDirectory { get; set; }

    /// <summary>The borrowers that the worker accepts.</summary>
    public RedirectSettings Redirect { get; set; } = new();

    /// <summary>The trust in the certificates of servers.</summary>
    public TlsSettings Tls { get; set; } = new();

    /// <summary>Whether the health check mesh-worker is left out. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether the activity source Mesh is not added to OpenTelemetry. Default: false.</summary>
    public bool DisableTracing { get; set; }

    internal WorkerId Id => new(WorkerId);

    internal ServerId Home => new(HomeServer.Id);

    internal Framing Framing => Transport == WorkerTransport.Tcp ? Framing.Line : Framing.WebSocket;

    /// <summary>The token of the configuration when the settings were read. A different <see cref="Token"/> was set by the application.</summary>
    internal string? ConfiguredToken { get; set; }

    /// <summary>Time limits that cannot be configured.</summary>
    internal WorkerTiming Timing { get; set; } = new();

    /// <summary>The values that could not be read, one message each. The validator reports them.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>The environment variables of settings that this worker does not know. Each is logged.</summary>
    internal List<string> Unknown { get; } = [];
}

/// <summary>The home server of a worker.</summary>
public sealed class HomeServerSettings
{
    /// <summary>The UUID of the home server. The worker presents it to borrowers. Required.</summary>
    public string Id { get; set; } = "";

    /// <summary>host:port, a URL or a service-discovery name. Connections to home and to borrowers use TLS when it begins with https:// or wss://. Required.</summary>
    public string Endpoint { get; set; } = "";
}

/// <summary>The borrowers that a worker accepts.</summary>
public sealed class RedirectSettings
{
    /// <summary>The borrowers that the worker accepts: host, host:port or *.domain. Default: none, all that its home server chooses.</summary>
    public List<string> Allowed { get; set; } = [];
}

/// <summary>The trust of a worker in certificates.</summary>
public sealed class TlsSettings
{
    /// <summary>A PEM file with the authorities that sign the certificates of servers. Default: none, those of the operating system.</summary>
    public string? CaFile { get; set; }
}

/// <summary>How a worker sends messages.</summary>
public enum WorkerTransport
{
    /// <summary>One WebSocket connection.</summary>
    WebSocket = 1,

    /// <summary>Raw lines, one connection for each message.</summary>
    Tcp = 2,
}
