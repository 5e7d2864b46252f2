using Mesh.Protocol;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>The part of a <see cref="TaskEntry"/> that is used from the first attempt on, or when the task is settled.</summary>
internal sealed class TaskAttempts
{
    private static readonly List<FailedAttempt> NoFailures = [];

    /// <summary>The workers that have failed at the task, each with its last attempt. The empty list is shared.</summary>
    public List<FailedAttempt> Failures { get; set; } = NoFailures;

    /// <summary>The number of times that the task was returned without a counted attempt.</summary>
    public int UncountedReturns { get; set; }

    /// <summary>The error of the last failed attempt, or null.</summary>
    public string? Error { get; set; }

    /// <summary>True when the worker of the running attempt was told to end it.</summary>
    public bool IsCancelSent { get; set; }

    /// <summary>The requests to handle again when the task is settled, or null.</summary>
    public List<CancelRequest>? CancelRequests { get; set; }

    /// <summary>The time when the running attempt has run too long, and its place among equal times. The default value when the attempt has no timeout. Set by <see cref="AttemptTimeouts"/>.</summary>
    public (DateTimeOffset Due, long Order) TimesOutAt { get; set; }

    /// <summary>The worker that was removed while it ran the last attempt, or null. It can resume the attempt.</summary>
    public WorkerId? LostBy { get; set; }

    /// <summary>The THEN of a status that arrived while the task was being invalidated, or null.</summary>
    public RawJson? LateThen { get; set; }

    /// <summary>The worker that runs the task, or null.</summary>
    public WorkerEntry? Worker { get; set; }

    /// <summary>The worker of the last attempt.</summary>
    public WorkerId? LastWorker { get; set; }

    /// <summary>The ACKs to send when the settlement of an invalidated task is stored, or null.</summary>
    public List<(SessionId Session, Ack Ack)>? DeferredAcks { get; set; }

    /// <summary>The time when the task lease of the running attempt expires.</summary>
    public DateTimeOffset LeaseEnd { get; set; }

    /// <summary>The part of the running attempt that is done, from 0 to 1, or null when the worker does not report it.</summary>
    public double? Progress { get; set; }

    /// <summary>The session on which the last attempt was sent.</summary>
    public SessionId SentOn { get; set; }

    /// <summary>The number of the message of the last attempt, in the order of sending.</summary>
    public long SendOrder { get; set; }

    /// <summary>The last worker that the task was sent to and did not reach, or null.</summary>
    public WorkerId? UndeliveredTo { get; set; }

    /// <summary>The time when the last attempt was dispatched.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>The time when the settling status arrived or the last attempt ended.</summary>
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>The W3C trace context from the status of the last attempt, or null if it had none.</summary>
    public string? StatusTrace { get; set; }

    /// <summary>The W3C trace context in which the running attempt was dispatched. The shell sets it when it sends the task.</summary>
    public string? AttemptTrace { get; set; }

    /// <summary>The W3C trace context in which the first attempt was dispatched.</summary>
    public string? FirstAttemptTrace { get; set; }

    /// <summary>The node of the task in the list of running tasks, or null.</summary>
    public LinkedListNode<TaskEntry>? LeaseNode { get; set; }

    /// <summary>The node of the task in the list of queued retries, or null.</summary>
    public LinkedListNode<TaskEntry>? RetryNode { get; set; }
}

/// <summary>The last failed attempt of one worker at a task.</summary>
/// <param name="Started">The time when the task was dispatched to the worker.</param>
/// <param name="Failed">The time when the attempt failed.</param>
internal readonly record struct FailedAttempt(WorkerId Worker, DateTimeOffset Started, DateTimeOffset Failed);
