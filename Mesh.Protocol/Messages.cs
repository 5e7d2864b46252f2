namespace Mesh.Protocol;

/// <summary>One message of the mesh protocol. The set of messages is closed (docs/protocol.md, "Messages").</summary>
public abstract record MeshMessage
{
    private protected MeshMessage()
    {
    }

    /// <summary>TRACEPARENT: the W3C trace context that caused this message, or null.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>get_task, worker → server: the worker identifies itself and requests one task.</summary>
/// <param name="Worker">WORKER_UUID.</param>
/// <param name="Home">SERVER_UUID: the worker's home server. Only sent to other servers.</param>
public sealed record GetTask(WorkerId Worker, ServerId? Home = null) : MeshMessage
{
    /// <summary>TASKS: the task types that this worker handles. Null when the field is absent, which means QUERY only.</summary>
    public TaskTypeSet? Tasks { get; init; }
}

/// <summary>new_task, server → worker: the task to run.</summary>
/// <param name="Type">TASK.</param>
/// <param name="User">USER: the account of a QUERY or UPDATE. Null for other types.</param>
/// <param name="Amount">AMOUNT: the amount that an UPDATE adds to the balance. Null for other types.</param>
public sealed record NewTask(TaskType Type, string? User = null, decimal? Amount = null) : MeshMessage
{
    /// <summary>PAYLOAD: the input of a task of another type than QUERY and UPDATE, or null.</summary>
    public RawJson? Payload { get; init; }

    /// <summary>TASK_ID: repeated in task_status and ack.</summary>
    public TaskId? Id { get; init; }

    /// <summary>ATTEMPT: the number of this attempt at the task. 1 when the field is absent.</summary>
    public int Attempt { get; init; } = 1;
}

/// <summary>no_task, server → worker: there is no task now. The worker requests one again later.</summary>
public sealed record NoTask : MeshMessage;

/// <summary>redirect, server → worker: the worker connects to this borrower.</summary>
public sealed record Redirect(MeshEndpoint Target) : MeshMessage
{
    /// <summary>FRAMING: the framing that the target is known to support, or null.</summary>
    public Framing? Framing { get; init; }
}

/// <summary>return, server → worker: the worker returns to its home server at this address.</summary>
public sealed record Return(MeshEndpoint Target) : MeshMessage
{
    /// <summary>FRAMING: the framing that the target is known to support, or null.</summary>
    public Framing? Framing { get; init; }
}

/// <summary>task_status, worker → server: the outcome of one attempt, or that it goes on.</summary>
/// <param name="Outcome">STATUS.</param>
/// <param name="Type">TASK. Null when the field is absent. The status then answers the worker's only task.</param>
/// <param name="Worker">WORKER_UUID.</param>
public sealed record TaskStatus(TaskOutcome Outcome, TaskType? Type, WorkerId Worker) : MeshMessage
{
    /// <summary>TASK_ID. Without it the status answers the only task of its type that the worker has, or the last one that it was given.</summary>
    public TaskId? Id { get; init; }

    /// <summary>RESULT: the task's output. For QUERY and UPDATE the account's balance after the task.</summary>
    public RawJson? Result { get; init; }

    /// <summary>ERROR: the reason why the attempt failed.</summary>
    public string? Error { get; init; }

    /// <summary>HANDED_BACK: with a NOK, the worker has not tried the task, or had to end before it was done. This does not count as a failed attempt.</summary>
    public bool HandedBack { get; init; }

    /// <summary>PROGRESS: with RUNNING, the part of the work that is done, from 0 to 1. Null when it is not known.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 1.</exception>
    public double? Progress
    {
        get;
        init => field = value is null or (>= 0 and <= 1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The progress is not from 0 to 1.");
    }

    /// <summary>RETRY: with a NOK, false makes the task a dead letter at once. True when the field is absent.</summary>
    public bool MayRetry { get; init; } = true;

    /// <summary>RETRY_AFTER: with a NOK, the next attempt starts not earlier than this time after the status, in seconds on the wire. Null when the field is absent.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or longer than <see cref="ProtocolLimits.MaxRetryAfter"/>.</exception>
    public TimeSpan? RetryAfter
    {
        get;
        init => field = value is null || (value >= TimeSpan.Zero && value <= ProtocolLimits.MaxRetryAfter)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The delay is negative or longer than a year.");
    }

    /// <summary>THEN: with an OK, an array of the tasks to accept with the result, each as in the body of POST /tasks. Null when the field is absent.</summary>
    public RawJson? Then { get; init; }
}

/// <summary>ack, server → worker: the status is stored.</summary>
public sealed record Ack : MeshMessage
{
    /// <summary>WORKER_UUID of the acknowledged status. Workers of the second generation accept an ACK only with their own id.</summary>
    public WorkerId? Worker { get; init; }

    /// <summary>TASK_ID of the acknowledged status.</summary>
    public TaskId? Id { get; init; }

    /// <summary>CANCEL: with the ACK of a RUNNING, the worker ends the attempt and reports NOK.</summary>
    public bool Cancel { get; init; }
}

/// <summary>heartbeat, server → server.</summary>
public sealed record Heartbeat(ServerId Server) : MeshMessage
{
    /// <summary>LOAD of the sender.</summary>
    public ServerLoad? Load { get; init; }
}

/// <summary>heartbeat_response, server → server.</summary>
public sealed record HeartbeatResponse(ServerId Server) : MeshMessage
{
    /// <summary>LOAD of the sender.</summary>
    public ServerLoad? Load { get; init; }
}

/// <summary>worker_request, borrower → owner: the borrower requests workers.</summary>
/// <param name="Requestor">REQUESTOR_INFO: the address that lent workers connect to.</param>
public sealed record WorkerRequest(MeshEndpoint Requestor) : MeshMessage
{
    /// <summary>WORKERS_NEEDED, at least 1. Absent in requests of older peers.</summary>
    public int? WorkersNeeded { get; init; }

    /// <summary>SERVER_UUID of the borrower. Absent in requests of older peers.</summary>
    public ServerId? Server { get; init; }

    /// <summary>TASKS: the task types that the borrower's backlog needs. Null when the field is absent, which means any.</summary>
    public TaskTypeSet? Tasks { get; init; }
}

/// <summary>available, owner → borrower: the owner lends these workers.</summary>
public sealed record Available(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>unavailable, owner → borrower: the owner lends no workers.</summary>
public sealed record Unavailable(ServerId Server) : MeshMessage;

/// <summary>command_release, borrower → owner: the borrower does not need these workers any more.</summary>
public sealed record CommandRelease(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>release_ack, owner → borrower: the borrower may send these workers home.</summary>
public sealed record ReleaseAck(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>release_completed, owner → borrower: these workers have returned. It is a request without a reply.</summary>
public sealed record ReleaseCompleted(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>The answer to bad input: {"STATUS": "NOK", "ERROR": …}. The error names the field (docs/protocol.md, "Bad input").</summary>
public sealed record Rejection(string Error) : MeshMessage;
