namespace Mesh.Worker.Options;

/// <summary>The worker's configuration: section "Mesh", as environment variables Mesh__WorkerId and so on.</summary>
internal sealed class WorkerOptions
{
    public const string Section = "Mesh";

    /// <summary>The worker's UUID, unique over the mesh. Default: WORKER_ and six random hex digits.</summary>
    public string WorkerId { get; set; } = $"WORKER_{Guid.NewGuid():n}"[..13];

    public HomeServerOptions HomeServer { get; set; } = new();

    /// <summary>How home is spoken to. Default: WebSocket.</summary>
    public WorkerTransport Transport { get; set; } = WorkerTransport.WebSocket;

    /// <summary>Tasks at a time, 1 to 1024. Default: 1.</summary>
    public int Concurrency { get; set; } = 1;

    /// <summary>Simulated work: every task takes this much longer. Default: none.</summary>
    public TimeSpan WorkTime { get; set; }

    /// <summary>How long running tasks may take once the worker is told to stop; then they are handed back. Default: 10 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The mesh's shared secret, or one for workers. Read again when the configuration changes. Default: none.</summary>
    public string? Token { get; set; }

    /// <summary>A directory with a file for each key, such as Mesh__Token, read again when it changes (<see cref="Configuration.SecretsDirectory"/>). Default: none.</summary>
    public string? SecretsDirectory { get; set; }

    public RedirectOptions Redirect { get; set; } = new();

    public TlsOptions Tls { get; set; } = new();

    /// <summary>Values that could not be read, each in words: for the validator.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>Environment variables of settings that this worker does not know; each is told in the log.</summary>
    internal List<string> Unknown { get; } = [];
}

internal sealed class HomeServerOptions
{
    /// <summary>Its UUID, which the worker presents when it is away. Required.</summary>
    public string Id { get; set; } = "";

    /// <summary>host:port, a URL, or a name that service discovery knows. With https:// or wss:// home, and borrowers too, are dialled over TLS. Required.</summary>
    public string Endpoint { get; set; } = "";
}

internal sealed class RedirectOptions
{
    /// <summary>The borrowers that the worker lets itself be sent to: host, host:port or *.domain. Default: those that its home's policy allows.</summary>
    public List<string> Allowed { get; } = [];
}

internal sealed class TlsOptions
{
    /// <summary>A PEM file of the authorities that servers' certificates are trusted by, instead of the system's. Default: none, the system's.</summary>
    public string? CaFile { get; set; }
}

internal enum WorkerTransport
{
    WebSocket = 1,

    /// <summary>Raw lines, a connection a message.</summary>
    Tcp = 2,
}
