namespace Mesh.Server.Hosting.Options;

/// <summary>Mesh__Timing: heartbeats and balancing rounds.</summary>
internal sealed class TimingOptions
{
    /// <summary>Time between two heartbeats to a live peer. Default: 15 s.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A peer not heard of for so long is dead. Default: 40 s.</summary>
    public TimeSpan HeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(40);

    /// <summary>Failed heartbeats in a row after the first that make a peer dead. Default: 3.</summary>
    public int HeartbeatRetries { get; set; } = 3;

    /// <summary>Delay before the first retry. Default: 5 s.</summary>
    public TimeSpan HeartbeatRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Each further delay is longer by this factor. Default: 2.</summary>
    public double HeartbeatBackoffFactor { get; set; } = 2;

    /// <summary>Longest delay between two retries. Default: 60 s.</summary>
    public TimeSpan HeartbeatMaxDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Each delay is spread by up to this fraction of itself. Default: 0.15.</summary>
    public double HeartbeatJitter { get; set; } = 0.15;

    /// <summary>Time between two balancing rounds. Default: 1 s.</summary>
    public TimeSpan LoadBalancerInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a peer's reply is waited for. Default: 5 s.</summary>
    public TimeSpan ReplyTimeout { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Mesh__Balancing: when to borrow, lend and give back.</summary>
internal sealed class BalancingOptions
{
    /// <summary>The high mark of waiting tasks. Default: 15.</summary>
    public int MaxQueueThreshold { get; set; } = 15;

    /// <summary>The low mark of waiting tasks. Default: 5.</summary>
    public int MinQueueThreshold { get; set; } = 5;

    /// <summary>Workers that are never lent. Default: 1.</summary>
    public int MinWorkersBeforeSharing { get; set; } = 1;

    /// <summary>How long the queue must be low before borrowed workers are released. Default: 2 s.</summary>
    public TimeSpan ReleaseAfter { get; set; } = TimeSpan.FromSeconds(2);
}

/// <summary>Mesh__Tasks.</summary>
internal sealed class TasksOptions
{
    /// <summary>How long one attempt may take. Default: 30 s.</summary>
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts before a task is a dead letter. Default: 3.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>The delay between the first and the second attempt at a task, doubled with each further one. Default: 200 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay between two attempts. Default: 30 s.</summary>
    public TimeSpan RetryMaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Running tasks and waiting requests of one worker at a time. Default: 1,024.</summary>
    public int MaxPerWorker { get; set; } = 1_024;

    /// <summary>A worker that has failed so often in a row at tasks that another worker then did is set aside; 0 for never. Default: 5.</summary>
    public int SetAsideAfter { get; set; } = 5;

    /// <summary>How long a WebSocket worker's request is held when there is no task. Default: 30 s.</summary>
    public TimeSpan HoldTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The same for a line worker, under 2 s. Default: 1.5 s.</summary>
    public TimeSpan LineHoldTime { get; set; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Tasks accepted and not yet settled. Default: 100,000.</summary>
    public int Capacity { get; set; } = 100_000;

    /// <summary>A WebSocket worker gone for longer loses its tasks. Default: 5 s.</summary>
    public TimeSpan WorkerGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A line worker that has not asked for so long is gone. Default: 20 s.</summary>
    public TimeSpan LineWorkerTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a done task can be read, and its idempotency key is known. Default: 1 h.</summary>
    public TimeSpan ResultRetention { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Mesh__Loans: the time limits of a loan's steps.</summary>
internal sealed class LoansOptions
{
    /// <summary>Time for a lent worker to arrive. Default: 30 s.</summary>
    public TimeSpan ArrivalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>First delay between two COMMAND_RELEASE. Default: 5 s.</summary>
    public TimeSpan ReleaseRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest delay between two COMMAND_RELEASE. Default: 30 s.</summary>
    public TimeSpan ReleaseRetryMaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>COMMAND_RELEASE sent in a row. Default: 5.</summary>
    public int ReleaseTries { get; set; } = 5;

    /// <summary>Time for a released worker to reach home. Default: 60 s.</summary>
    public TimeSpan ReturnTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>A loan to a borrower dead for so long is given up. Default: 120 s.</summary>
    public TimeSpan BorrowerLostAfter { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>No loan is older than this. Default: 1 h.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Mesh__Claim: that one process serves under this server's id, and no second.</summary>
internal sealed class ServerLeaseOptions
{
    /// <summary>A process that has not renewed its claim for so long has lost it, if another wants it. Default: 5 s.</summary>
    public TimeSpan Expiry { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a process waits for another one under the same id to go before it ends. Default: 1 min.</summary>
    public TimeSpan WaitLimit { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>Mesh__Adoption: the tasks of a peer that stays dead, where it keeps them in the same Redis.</summary>
internal sealed class AdoptionOptions
{
    /// <summary>A peer that has been dead for so long has its tasks served here until it is back. Zero leaves them to it. Default: 5 min.</summary>
    public TimeSpan After { get; set; } = TimeSpan.FromMinutes(5);
}
