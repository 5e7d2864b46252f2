using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>All that the core is told of its configuration. Immutable.</summary>
internal sealed record ServerSettings
{
    public required ServerId Id { get; init; }

    /// <summary>The address told to peers and workers.</summary>
    public required MeshEndpoint Advertise { get; init; }

    public required IReadOnlyList<PeerSettings> Peers { get; init; }

    public HeartbeatSettings Heartbeat { get; init; } = new();

    public BalanceSettings Balancing { get; init; } = new();

    public TaskSettings Tasks { get; init; } = new();

    public LoanSettings Loans { get; init; } = new();

    /// <summary>Where workers may be sent, besides the peers' own addresses.</summary>
    public EndpointPatterns Redirects { get; init; } = EndpointPatterns.None;

    /// <summary>The tasks of a peer that has been dead for so long are adopted; null to leave them to it.</summary>
    public TimeSpan? AdoptAfter { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>A configured peer; its endpoint is what workers are sent home to.</summary>
internal sealed record PeerSettings(ServerId Id, MeshEndpoint Endpoint)
{
    /// <summary>Whether it is dialled over TLS.</summary>
    public bool IsTls { get; init; }
}

internal sealed record HeartbeatSettings
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A peer not heard of for so long is dead.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Failed heartbeats in a row after the first that make a peer dead.</summary>
    public int Retries { get; init; } = 3;

    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    public double BackoffFactor { get; init; } = 2;

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Each delay is spread by up to this fraction of itself, either way.</summary>
    public double Jitter { get; init; } = 0.15;

    /// <summary>How long any reply of a peer is waited for (docs/protocol.md, "Transport").</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

internal sealed record BalanceSettings
{
    /// <summary>Time between two balancing rounds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The high mark: with more tasks waiting than this, workers are borrowed and none lent.</summary>
    public int MaxQueueThreshold { get; init; } = 15;

    /// <summary>The low mark: with no more tasks waiting than this for <see cref="ReleaseAfter"/>, borrowed workers are released.</summary>
    public int MinQueueThreshold { get; init; } = 5;

    /// <summary>Workers that stay at home whoever asks.</summary>
    public int MinWorkersBeforeSharing { get; init; } = 1;

    public TimeSpan ReleaseAfter { get; init; } = TimeSpan.FromSeconds(2);
}

internal sealed record TaskSettings
{
    /// <summary>How long one attempt may take before the task is put back.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxAttempts { get; init; } = 3;

    /// <summary>The delay between the first and the second attempt, doubled with each further one.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan RetryMaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Running tasks and held get_tasks of one worker; what it asks beyond them is answered NO_TASK.</summary>
    public int MaxPerWorker { get; init; } = 1024;

    /// <summary>A worker that has failed so often at what another worker then did is set aside; 0 for never.</summary>
    public int SetAsideAfter { get; init; } = 5;

    /// <summary>How long a get_task is held on a WebSocket when there is no task.</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The same for a line peer; under 2 s (docs/protocol.md, "The task cycle").</summary>
    public TimeSpan LineHoldTime { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Tasks accepted and not yet settled.</summary>
    public int Capacity { get; init; } = 100_000;

    /// <summary>Workers known at a time.</summary>
    public int MaxWorkers { get; init; } = 50_000;

    /// <summary>A WebSocket worker gone for longer than this loses its tasks.</summary>
    public TimeSpan WorkerGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A line worker that has not asked for so long is gone.</summary>
    public TimeSpan LineWorkerTimeout { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>The time limits of the steps of a loan (docs/protocol.md, "A loan, step by step").</summary>
internal sealed record LoanSettings
{
    /// <summary>Owner: time for an offered worker to fetch its REDIRECT. Borrower: time for a promised worker to arrive.</summary>
    public TimeSpan ArrivalTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>First delay between two COMMAND_RELEASE, doubled each time.</summary>
    public TimeSpan ReleaseRetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan ReleaseRetryMaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>COMMAND_RELEASE sent in a row before the next balancing round decides again.</summary>
    public int ReleaseTries { get; init; } = 5;

    /// <summary>Time for a released worker to reach home, on both sides.</summary>
    public TimeSpan ReturnTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Owner: a loan to a borrower that has been dead for so long is given up.</summary>
    public TimeSpan BorrowerLostAfter { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Owner: no loan is older than this.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(1);
}
