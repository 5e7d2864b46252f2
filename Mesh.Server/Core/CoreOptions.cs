using Mesh.Transport;

namespace Mesh.Server.Core;

/// <summary>The section Mesh__Timing: heartbeats and balancing rounds.</summary>
internal sealed record TimingOptions
{
    /// <summary>The time between two heartbeats to a live peer. Default: 15 s.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A peer that has sent nothing for this time is dead. Default: 40 s.</summary>
    public TimeSpan HeartbeatTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>The number of failed heartbeats in a row, after the first, that make a peer dead. Default: 3.</summary>
    public int HeartbeatRetries { get; init; } = 3;

    /// <summary>The delay before the first retry of a heartbeat. Default: 5 s.</summary>
    public TimeSpan HeartbeatRetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The factor between one retry delay and the next. Default: 2.</summary>
    public double HeartbeatBackoffFactor { get; init; } = 2;

    /// <summary>The longest delay between two retries. Default: 60 s.</summary>
    public TimeSpan HeartbeatMaxDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The largest fraction by which each delay is randomly lengthened or shortened. Default: 0.15.</summary>
    public double HeartbeatJitter { get; init; } = 0.15;

    /// <summary>The time between two balancing rounds. Default: 1 s.</summary>
    public TimeSpan LoadBalancerInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The time limit for each reply of a peer (docs/protocol.md, "Transport"). Default: 5 s.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    internal Backoff HeartbeatBackoff => new(HeartbeatRetryDelay, HeartbeatMaxDelay, HeartbeatBackoffFactor);
}

/// <summary>The section Mesh__Balancing: when workers are borrowed, lent and released.</summary>
internal sealed record BalancingOptions
{
    /// <summary>The high mark. While more tasks than this are queued, this server borrows workers, and lends only those that handle no queued type. Default: 15.</summary>
    public int MaxQueueThreshold { get; init; } = 15;

    /// <summary>The low mark. All borrowed workers are released when the queue is at or below it for <see cref="ReleaseAfter"/>. Default: 5.</summary>
    public int MinQueueThreshold { get; init; } = 5;

    /// <summary>The number of workers at home that are never lent, and the number of those that handle a type, for each type. Default: 1.</summary>
    public int MinWorkersBeforeSharing { get; init; } = 1;

    /// <summary>
    /// The time that a reason to release borrowed workers must last, the shortest stay of a borrowed worker, and the time after a release in which the same owner is not asked for
    /// workers. Default: 2 s.
    /// </summary>
    public TimeSpan ReleaseAfter { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>The section Mesh__Tasks: limits and time limits of tasks and workers.</summary>
internal sealed record TasksOptions
{
    /// <summary>The duration of a task lease, which limits one attempt. When the lease expires the attempt has failed. Default: 30 s.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of attempts before a task becomes a dead letter. Default: 3.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>The delay between the first and the second attempt at a task. Each further delay is twice as long. Default: 200 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay between two attempts. Default: 30 s.</summary>
    public TimeSpan RetryMaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of running tasks and pending polls of one worker. Each further get_task is answered with NO_TASK. Default: 1,024.</summary>
    public int MaxPerWorker { get; init; } = 1_024;

    /// <summary>A worker is set aside after it failed this many times in a row at tasks that another worker then completed. 0 turns this off. Default: 5.</summary>
    public int SetAsideAfter { get; init; } = 5;

    /// <summary>The time that a get_task on a WebSocket is held while there is no task. Default: 30 s.</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time that a get_task on a line connection is held, less than 2 s (docs/protocol.md, "The task cycle"). Default: 1.5 s.</summary>
    public TimeSpan LineHoldTime { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>The number of tasks that are accepted and not yet settled. Default: 100,000.</summary>
    public int Capacity { get; init; } = 100_000;

    /// <summary>The time after the WebSocket of a worker closes until its tasks are queued again. Default: 5 s.</summary>
    public TimeSpan WorkerGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A line worker that has sent nothing for this time is removed. Default: 20 s.</summary>
    public TimeSpan LineWorkerTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The largest payload of a task, in bytes of UTF-8 without white space. Default: 32 KiB.</summary>
    public int MaxPayloadBytes { get; init; } = 32 * 1024;

    /// <summary>The time for which the result and the idempotency key of a completed task are stored. Default: 1 h.</summary>
    public TimeSpan ResultRetention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The time for which the ledger remembers that a settled UPDATE was applied or rejected, for a delayed attempt at it. Default: 24 h.</summary>
    public TimeSpan MarkRetention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// The waiting time that one level of priority is worth: a task goes before an earlier one of the next lower priority if it came less than this time later. Zero ignores
    /// priorities. Default: 10 s.
    /// </summary>
    public TimeSpan PriorityAge { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The number of requests GET /tasks/{id}?wait=… that wait at the same time. Further ones are answered 429. Default: 10,000.</summary>
    public int MaxWaits { get; init; } = 10_000;

    /// <summary>The number of schedules that are put at this server. Further ones are refused with 429. Default: 1,000.</summary>
    public int MaxSchedules { get; init; } = 1_000;

    internal Backoff RetryBackoff => new(RetryDelay, RetryMaxDelay);
}

/// <summary>The section Mesh__Loans: the time limits of the steps of a loan (docs/protocol.md, "A loan, step by step").</summary>
internal sealed record LoansOptions
{
    /// <summary>Owner: the time for an offered worker to fetch its REDIRECT. Borrower: the time for a promised worker to arrive. Default: 30 s.</summary>
    public TimeSpan ArrivalTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first delay between two COMMAND_RELEASE. Each further delay is twice as long. Default: 5 s.</summary>
    public TimeSpan ReleaseRetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest delay between two COMMAND_RELEASE. Default: 30 s.</summary>
    public TimeSpan ReleaseRetryMaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of times that COMMAND_RELEASE is sent in a row. After them the next balancing round decides again. Default: 5.</summary>
    public int ReleaseTries { get; init; } = 5;

    /// <summary>Both sides: the time for a released worker to reach home. Default: 60 s.</summary>
    public TimeSpan ReturnTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Owner: a loan ends when its borrower has been dead for this time. Default: 120 s.</summary>
    public TimeSpan BorrowerLostAfter { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Owner: the longest duration of a loan. Default: 1 h.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(1);

    internal Backoff ReleaseBackoff => new(ReleaseRetryDelay, ReleaseRetryMaxDelay);
}

/// <summary>The section Mesh__Adoption: when this server adopts the tasks of a dead peer that uses the same Redis.</summary>
internal sealed record AdoptionOptions
{
    /// <summary>This server adopts the tasks of a peer that has been dead for this time, until that peer is back. Zero turns adoption off. Default: 5 min.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>The section Mesh__Sessions: limits of connections and workers (docs/security.md, "Limits").</summary>
internal sealed record SessionsOptions
{
    /// <summary>The largest number of open connections of workers and peers. Default: 25,000.</summary>
    public int MaxConnections { get; init; } = 25_000;

    /// <summary>The largest number of open connections of all kinds from one address. An IPv6 /64 network counts as one address. Default: 10,000.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 10_000;

    /// <summary>The largest number of known workers, connected or lent. Default: 50,000.</summary>
    public int MaxWorkers { get; init; } = 50_000;

    /// <summary>
    /// The time limit for the first message or request of a connection. A line connection that waits for no reply is closed after it too. Default: 10 s.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time limit from the first byte of a message to the last one. Default: 10 s.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The largest accepted message, in bytes. The protocol allows 65,536. Default: 65,536.</summary>
    public int MaxMessageBytes { get; init; } = 65_536;

    /// <summary>The largest number of messages of one connection per second. Further messages are read in the next second. Default: 20,000.</summary>
    public int MaxMessagesPerSecond { get; init; } = 20_000;

    /// <summary>The largest number of messages that wait to be sent on one connection. The connection is closed when there are more. Default: 1,024.</summary>
    public int OutboxCapacity { get; init; } = 1_024;

    /// <summary>The largest number of invalid messages on one WebSocket. The connection is closed when there are more. Default: 10.</summary>
    public int MaxErrors { get; init; } = 10;

    /// <summary>
    /// The largest number of requests with a wrong token from one address per minute. All further requests of that address in the same minute are refused, unless it is loopback. Default: 100.
    /// </summary>
    public int MaxFailedTokens { get; init; } = 100;
}
