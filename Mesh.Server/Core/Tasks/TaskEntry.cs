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

/// <summary>An unsettled task in memory. What only a task has that a worker got is in <see cref="TaskAttempts"/>, so that a queued task takes less memory.</summary>
internal sealed class TaskEntry
{
    /// <summary>The largest number of workers in <see cref="Failures"/>. The oldest entry is removed when there are more.</summary>
    private const int MaxFailures = 16;

    /// <summary>The state of a task that no worker had. It is never changed.</summary>
    private static readonly TaskAttempts NoAttempts = new();

    private TaskAttempts _attempts = NoAttempts;
    private long _queuedAt;
    private long _dueAt;

    public TaskEntry(TaskRecord record)
    {
        Record = record;
        Attempts = record.Attempts;
        IsCancelRequested = record.IsCancelRequested == true;
        if (record.Error is not null || record.Worker is not null || record.FirstAttempt is not null)
        {
            Error = record.Error;
            LastWorker = record.Worker;
            FirstAttemptTrace = record.FirstAttempt;
        }

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

    /// <summary>The number of counted attempts, including the running one.</summary>
    public int Attempts { get; set; }

    /// <summary>The workers that have failed at the task, each with its last attempt.</summary>
    public List<FailedAttempt> Failures => _attempts.Failures;

    /// <inheritdoc cref="TaskAttempts.UncountedReturns"/>
    public int UncountedReturns { get => _attempts.UncountedReturns; set => OwnAttempts.UncountedReturns = value; }

    /// <inheritdoc cref="TaskAttempts.Error"/>
    public string? Error { get => _attempts.Error; set => OwnAttempts.Error = value; }

    /// <summary>True when the task was stored and its submission was refused afterwards.</summary>
    public bool Withdrawn { get; set; }

    /// <summary>True when a client has cancelled the task. No attempt follows the running one.</summary>
    public bool IsCancelRequested { get; set; }

    /// <inheritdoc cref="TaskAttempts.IsCancelSent"/>
    public bool IsCancelSent { get => _attempts.IsCancelSent; set => OwnAttempts.IsCancelSent = value; }

    /// <inheritdoc cref="TaskAttempts.CancelRequests"/>
    public List<CancelRequest>? CancelRequests { get => _attempts.CancelRequests; set => OwnAttempts.CancelRequests = value; }

    /// <summary>True when the tasks in THEN of an OK are accepted. A cancelled task can still be done, and has no further effect then.</summary>
    public bool AcceptsFollowUps => !IsCancelRequested;

    /// <inheritdoc cref="TaskAttempts.TimesOutAt"/>
    public (DateTimeOffset Due, long Order) TimesOutAt { get => _attempts.TimesOutAt; set => OwnAttempts.TimesOutAt = value; }

    /// <inheritdoc cref="TaskAttempts.LostBy"/>
    public WorkerId? LostBy { get => _attempts.LostBy; set => OwnAttempts.LostBy = value; }

    /// <summary>True when the task was submitted with the result of another task, by this process.</summary>
    public bool IsFollowUp { get; init; }

    /// <inheritdoc cref="TaskAttempts.LateThen"/>
    public RawJson? LateThen { get => _attempts.LateThen; set => OwnAttempts.LateThen = value; }

    /// <inheritdoc cref="TaskAttempts.Worker"/>
    public WorkerEntry? Worker { get => _attempts.Worker; set => OwnAttempts.Worker = value; }

    /// <inheritdoc cref="TaskAttempts.LastWorker"/>
    public WorkerId? LastWorker { get => _attempts.LastWorker; set => OwnAttempts.LastWorker = value; }

    /// <inheritdoc cref="TaskAttempts.DeferredAcks"/>
    public List<(SessionId Session, Ack Ack)>? DeferredAcks { get => _attempts.DeferredAcks; set => OwnAttempts.DeferredAcks = value; }

    /// <summary>The number of the current queue entry. Queue entries with another number are obsolete.</summary>
    public long QueueOrder { get; set; }

    /// <inheritdoc cref="TaskAttempts.LeaseEnd"/>
    public DateTimeOffset LeaseEnd { get => _attempts.LeaseEnd; set => OwnAttempts.LeaseEnd = value; }

    /// <inheritdoc cref="TaskAttempts.Progress"/>
    public double? Progress { get => _attempts.Progress; set => OwnAttempts.Progress = value; }

    /// <inheritdoc cref="TaskAttempts.SentOn"/>
    public SessionId SentOn { get => _attempts.SentOn; set => OwnAttempts.SentOn = value; }

    /// <inheritdoc cref="TaskAttempts.SendOrder"/>
    public long SendOrder { get => _attempts.SendOrder; set => OwnAttempts.SendOrder = value; }

    /// <inheritdoc cref="TaskAttempts.UndeliveredTo"/>
    public WorkerId? UndeliveredTo { get => _attempts.UndeliveredTo; set => OwnAttempts.UndeliveredTo = value; }

    /// <summary>The time when the task came into the queue, in UTC.</summary>
    public DateTimeOffset QueuedAt { get => new(_queuedAt, TimeSpan.Zero); set => _queuedAt = value.UtcTicks; }

    /// <summary>The time when a scheduled task is queued, in UTC.</summary>
    public DateTimeOffset DueAt { get => new(_dueAt, TimeSpan.Zero); set => _dueAt = value.UtcTicks; }

    /// <summary>The place of this task in <see cref="ScheduledTasks"/>, which sets it.</summary>
    public int ScheduleIndex { get; set; }

    /// <inheritdoc cref="TaskAttempts.StartedAt"/>
    public DateTimeOffset StartedAt { get => _attempts.StartedAt; set => OwnAttempts.StartedAt = value; }

    /// <inheritdoc cref="TaskAttempts.EndedAt"/>
    public DateTimeOffset EndedAt { get => _attempts.EndedAt; set => OwnAttempts.EndedAt = value; }

    /// <inheritdoc cref="TaskAttempts.StatusTrace"/>
    public string? StatusTrace { get => _attempts.StatusTrace; set => OwnAttempts.StatusTrace = value; }

    /// <inheritdoc cref="TaskAttempts.AttemptTrace"/>
    public string? AttemptTrace { get => _attempts.AttemptTrace; set => OwnAttempts.AttemptTrace = value; }

    /// <inheritdoc cref="TaskAttempts.FirstAttemptTrace"/>
    public string? FirstAttemptTrace { get => _attempts.FirstAttemptTrace; set => OwnAttempts.FirstAttemptTrace = value; }

    /// <summary>The node of this task in the list of running tasks.</summary>
    public LinkedListNode<TaskEntry> LeaseNode => OwnAttempts.LeaseNode ??= new(this);

    /// <summary>The node of this task in the list of queued retries.</summary>
    public LinkedListNode<TaskEntry> RetryNode => OwnAttempts.RetryNode ??= new(this);

    private TaskAttempts OwnAttempts => _attempts == NoAttempts ? _attempts = new() : _attempts;

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
        if (Failures.Count == 0)
        {
            OwnAttempts.Failures = [];
        }

        Failures.RemoveAll(failure => failure.Worker == worker);
        if (Failures.Count >= MaxFailures)
        {
            Failures.RemoveAt(0);
        }

        Failures.Add(new FailedAttempt(worker, started, failed));
    }

    public void ClearFailures()
    {
        if (Failures.Count > 0)
        {
            OwnAttempts.Failures = [];
        }
    }

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
