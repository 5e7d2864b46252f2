using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>The step of an unsettled task.</summary>
internal enum TaskStep : byte
{
    /// <summary>The acceptance is being stored.</summary>
    Storing = 1,

    /// <summary>The task waits for a worker.</summary>
    Queued,

    /// <summary>A worker has the task, with a task lease.</summary>
    Running,

    /// <summary>The last attempt failed, and the ledger is being asked to reject further attempts.</summary>
    Invalidating,

    /// <summary>The result or the dead letter is being stored.</summary>
    Settling,

    /// <summary>The task waits for its <see cref="TaskRecord.NotBefore"/> or for the end of its retry delay. It is not in the queue.</summary>
    Scheduled,
}

/// <summary>An unsettled task in memory.</summary>
internal sealed class TaskEntry
{
    /// <summary>The largest number of workers in <see cref="Failures"/>. The oldest entry is removed when there are more.</summary>
    private const int MaxFailures = 16;

    private static readonly List<FailedAttempt> NoFailures = [];

    public TaskEntry(TaskRecord record)
    {
        Record = record;
        Attempts = record.Attempts;
        Error = record.Error;
        LastWorker = record.Worker;
        FirstAttemptTrace = record.FirstAttempt;
        IsCancelRequested = record.IsCancelRequested == true;
        if (record is { Attempts: > 0, Worker: { } worker })
        {
            RecordFailure(worker, default, default);
        }
    }

    /// <summary>The task as it was accepted. The other members have its present state.</summary>
    public TaskRecord Record { get; }

    public TaskId Id => Record.WireId;

    public TaskType Type => Record.Type;

    public TaskStep Step { get; set; } = TaskStep.Storing;

    /// <summary>The priority, from 0 to <see cref="TaskRecord.MaxPriority"/>, which comes first.</summary>
    public int Priority => Record.Priority ?? TaskRecord.DefaultPriority;

    public int Attempts { get; set; }

    /// <summary>The workers that have failed at the task, each with its last attempt.</summary>
    public List<FailedAttempt> Failures { get; private set; } = NoFailures;

    /// <summary>The number of times that the task was returned without a counted attempt.</summary>
    public int UncountedReturns { get; set; }

    public string? Error { get; set; }

    /// <summary>True when the task was stored and its submission was refused afterwards.</summary>
    public bool Withdrawn { get; set; }

    /// <summary>True when a client has cancelled the task. No attempt follows the running one.</summary>
    public bool IsCancelRequested { get; set; }

    /// <summary>True when the worker of the running attempt was told to end it.</summary>
    public bool IsCancelSent { get; set; }

    /// <summary>The requests to handle again when the task is settled, or null.</summary>
    public List<CancelRequest>? CancelRequests { get; set; }

    /// <summary>True when the tasks in THEN of an OK are accepted. A cancelled task can still be done, and has no further effect then.</summary>
    public bool AcceptsFollowUps => !IsCancelRequested;

    /// <summary>The time when the running attempt has run too long, and its place among equal times. The default value when the attempt has no timeout. Set by <see cref="AttemptTimeouts"/>.</summary>
    public (DateTimeOffset Due, long Order) TimesOutAt { get; set; }

    /// <summary>The worker that was removed while it ran the last attempt, or null. It can resume the attempt.</summary>
    public WorkerId? LostBy { get; set; }

    /// <summary>True when the task was submitted with the result of another task, by this process.</summary>
    public bool IsFollowUp { get; init; }

    /// <summary>The THEN of a status that arrived while the task was being invalidated, or null.</summary>
    public RawJson? LateThen { get; set; }

    /// <summary>The worker that runs the task, or null.</summary>
    public WorkerEntry? Worker { get; set; }

    /// <summary>The worker of the last attempt.</summary>
    public WorkerId? LastWorker { get; set; }

    /// <summary>The ACKs to send when the settlement of an invalidated task is stored, or null.</summary>
    public List<(SessionId Session, Ack Ack)>? DeferredAcks { get; set; }

    /// <summary>The number of the current queue entry. Queue entries with another number are obsolete.</summary>
    public long QueueOrder { get; set; }

    public DateTimeOffset LeaseEnd { get; set; }

    /// <summary>The part of the running attempt that is done, from 0 to 1, or null when the worker does not report it.</summary>
    public double? Progress { get; set; }

    /// <summary>The session on which the last attempt was sent.</summary>
    public SessionId SentOn { get; set; }

    /// <summary>The number of the message of the last attempt, in the order of sending.</summary>
    public long SendOrder { get; set; }

    /// <summary>The last worker that the task was sent to and did not reach, or null.</summary>
    public WorkerId? UndeliveredTo { get; set; }

    public DateTimeOffset QueuedAt { get; set; }

    /// <summary>The time when a scheduled task is queued.</summary>
    public DateTimeOffset DueAt { get; set; }

    /// <summary>The place of this task in <see cref="ScheduledTasks"/>, which sets it.</summary>
    public int ScheduleIndex { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>The time when the settling status arrived or the last attempt ended.</summary>
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>The W3C trace context from the status of the last attempt, or null if it had none.</summary>
    public string? StatusTrace { get; set; }

    /// <summary>The W3C trace context in which the running attempt was dispatched. The shell sets it when it sends the task.</summary>
    public string? AttemptTrace { get; set; }

    /// <summary>The W3C trace context in which the first attempt was dispatched.</summary>
    public string? FirstAttemptTrace { get; set; }

    /// <summary>The node of this task in the list of running tasks. Created with the first attempt, so that a queued task takes less memory.</summary>
    [field: MaybeNull]
    public LinkedListNode<TaskEntry> LeaseNode => field ??= new LinkedListNode<TaskEntry>(this);

    /// <summary>The node of this task in the list of queued retries.</summary>
    [field: MaybeNull]
    public LinkedListNode<TaskEntry> RetryNode => field ??= new LinkedListNode<TaskEntry>(this);

    /// <summary>True when a worker had the task before.</summary>
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

    /// <summary>Adds the failed attempt of a worker, and replaces its earlier one.</summary>
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

    /// <summary>Creates a record with the given state and the present values of this entry.</summary>
    public TaskRecord ToRecord(TaskState state, RawJson? result = null) => Record with
    {
        State = state,
        Attempts = Attempts,
        Error = state == TaskState.Done ? null : Error,
        Result = result,
        Worker = LastWorker,
        FirstAttempt = FirstAttemptTrace,
        IsCancelRequested = IsCancelRequested ? true : null,
        Progress = state == TaskState.Running ? Progress : null,
    };

    /// <summary>Creates a record of the present state. That of a scheduled task has the time when it is queued as its <see cref="TaskRecord.NotBefore"/>.</summary>
    public TaskRecord ToRecord() => Step == TaskStep.Scheduled ? ToRecord(TaskState.Scheduled) with { NotBefore = DueAt } : ToRecord(StateOf(Step));

    /// <summary>Returns the state in the HTTP API of a task in this step.</summary>
    public static TaskState StateOf(TaskStep step) => step switch
    {
        TaskStep.Running => TaskState.Running,
        TaskStep.Scheduled => TaskState.Scheduled,
        TaskStep.Storing or TaskStep.Queued or TaskStep.Invalidating or TaskStep.Settling => TaskState.Queued,
        _ => throw new InvalidOperationException($"Task step {step} is unknown."),
    };
}

/// <summary>The last failed attempt of one worker at a task.</summary>
/// <param name="Started">The time when the task was dispatched to the worker.</param>
/// <param name="Failed">The time when the attempt failed.</param>
internal readonly record struct FailedAttempt(WorkerId Worker, DateTimeOffset Started, DateTimeOffset Failed);
