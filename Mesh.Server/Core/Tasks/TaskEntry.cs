using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>Where an unsettled task stands.</summary>
internal enum TaskStep : byte
{
    /// <summary>Its acceptance is being stored.</summary>
    Storing = 1,

    Queued,

    /// <summary>A worker has it, under a lease.</summary>
    Running,

    /// <summary>Its last attempt failed; the ledger is asked to close it.</summary>
    Invalidating,

    /// <summary>Its end is being stored.</summary>
    Settling,
}

/// <summary>An unsettled task.</summary>
internal sealed class TaskEntry
{
    /// <summary>How many workers that failed at a task are remembered.</summary>
    private const int MaxFailures = 16;

    private static readonly List<FailedAttempt> NoFailures = [];

    public TaskEntry(TaskRecord record)
    {
        Record = record;
        Attempts = record.Attempts;
        Error = record.Error;
        LastWorker = record.Worker;
        FirstAttemptTrace = record.FirstAttempt;
        LeaseNode = new LinkedListNode<TaskEntry>(this);
        if (record is { Attempts: > 0, Worker: { } worker })
        {
            RecordFailure(worker, default, default);
        }
    }

    /// <summary>The task as it was accepted; what has happened since is in the other members.</summary>
    public TaskRecord Record { get; }

    public TaskId Id => Record.WireId;

    public TaskType Type => Record.Type;

    public TaskStep Step { get; set; } = TaskStep.Storing;

    public int Attempts { get; set; }

    /// <summary>The workers that have failed at it, each with its last attempt.</summary>
    public List<FailedAttempt> Failures { get; private set; } = NoFailures;

    /// <summary>How often it came back from a worker without a counted attempt.</summary>
    public int UncountedReturns { get; set; }

    public string? Error { get; set; }

    /// <summary>True when its submission was refused after it had been stored.</summary>
    public bool Withdrawn { get; set; }

    /// <summary>Who has it while it runs.</summary>
    public WorkerEntry? Worker { get; set; }

    /// <summary>Who had the last attempt.</summary>
    public WorkerId? LastWorker { get; set; }

    /// <summary>Statuses to acknowledge once a closing task's end is stored.</summary>
    public List<(SessionId Session, Ack Ack)> DeferredAcks { get; } = [];

    /// <summary>Its place among all that was ever queued; an older place in the queue is void.</summary>
    public long QueueOrder { get; set; }

    public DateTimeOffset LeaseEnd { get; set; }

    /// <summary>The session of the last attempt, and the place of its message among all that were sent.</summary>
    public SessionId SentOn { get; set; }

    public long SendOrder { get; set; }

    /// <summary>The worker that the task was sent to, and did not reach.</summary>
    public WorkerId? UndeliveredTo { get; set; }

    public DateTimeOffset QueuedAt { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When the status came that settles it, or its last attempt ended.</summary>
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>W3C context of the worker's last attempt, where it tells.</summary>
    public string? StatusTrace { get; set; }

    /// <summary>W3C context in which the running attempt was handed out; set by who sends it.</summary>
    public string? AttemptTrace { get; set; }

    /// <summary>The same of the first attempt.</summary>
    public string? FirstAttemptTrace { get; set; }

    public LinkedListNode<TaskEntry> LeaseNode { get; }

    /// <summary>Its place among the retries that are due.</summary>
    [field: MaybeNull]
    public LinkedListNode<TaskEntry> RetryNode => field ??= new LinkedListNode<TaskEntry>(this);

    /// <summary>True for a task that a worker has had before.</summary>
    public bool IsRetry => Attempts > 0 || UncountedReturns > 0;

    public bool HasFailedOn(WorkerId worker)
    {
        foreach (var failure in Failures)
        {
            if (failure.Worker == worker)
            {
                return true;
            }
        }

        return false;
    }

    public void RecordFailure(WorkerId worker, DateTimeOffset started, DateTimeOffset failed)
    {
        if (Failures == NoFailures)
        {
            Failures = [];
        }

        Failures.RemoveAll(failure => failure.Worker == worker);
        if (Failures.Count >= MaxFailures)
        {
            Failures.RemoveAt(0);
        }

        Failures.Add(new FailedAttempt(worker, started, failed));
    }

    public void ClearFailures() => Failures = NoFailures;

    public TaskRecord ToRecord(TaskState state, decimal? result = null) => Record with
    {
        State = state,
        Attempts = Attempts,
        Error = state == TaskState.Done ? null : Error,
        Result = result,
        Worker = LastWorker,
        FirstAttempt = FirstAttemptTrace,
    };

    public TaskRecord ToRecord() => ToRecord(Step == TaskStep.Running ? TaskState.Running : TaskState.Queued);
}

/// <summary>The last failed attempt of one worker at a task.</summary>
/// <param name="Started">When the worker was given the task.</param>
/// <param name="Failed">When the attempt ended without success.</param>
internal readonly record struct FailedAttempt(WorkerId Worker, DateTimeOffset Started, DateTimeOffset Failed);
