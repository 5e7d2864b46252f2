namespace Mesh.Protocol;

/// <summary>One message of the mesh protocol: a closed set, see docs/protocol.md, "Messages".</summary>
public abstract record MeshMessage
{
    private protected MeshMessage()
    {
    }

    /// <summary>TRACEPARENT: the W3C trace context that caused this message, or null.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>get_task, worker → server: the worker presents itself and asks for one task.</summary>
/// <param name="Worker">WORKER_UUID.</param>
/// <param name="Home">SERVER_UUID: the worker's home, given only away from it.</param>
public sealed record GetTask(WorkerId Worker, ServerId? Home = null) : MeshMessage
{
    /// <summary>TASKS: the types this worker handles; null when the field is absent, which means QUERY alone.</summary>
    public TaskTypes? Tasks { get; init; }
}

/// <summary>new_task, server → worker.</summary>
/// <param name="Type">TASK.</param>
/// <param name="User">USER: the account.</param>
/// <param name="Amount">AMOUNT: what an UPDATE adds to the balance; null for a QUERY.</param>
public sealed record NewTask(TaskType Type, string User, decimal? Amount = null) : MeshMessage
{
    /// <summary>TASK_ID, echoed in task_status and ack.</summary>
    public TaskId? Id { get; init; }
}

/// <summary>no_task, server → worker: nothing now, ask again.</summary>
public sealed record NoTask : MeshMessage;

/// <summary>redirect, server → worker: connect to this borrower.</summary>
public sealed record Redirect(MeshEndpoint Target) : MeshMessage
{
    /// <summary>FRAMING: what the target is known to speak, or null.</summary>
    public Framing? Framing { get; init; }
}

/// <summary>return, server → worker: go home, to this address.</summary>
public sealed record Return(MeshEndpoint Target) : MeshMessage
{
    /// <summary>FRAMING: what the target is known to speak, or null.</summary>
    public Framing? Framing { get; init; }
}

/// <summary>task_status, worker → server: what became of one attempt.</summary>
/// <param name="Outcome">STATUS.</param>
/// <param name="Type">TASK; null when the field is absent: then the status answers the worker's only task.</param>
/// <param name="Worker">WORKER_UUID.</param>
public sealed record TaskStatus(TaskOutcome Outcome, TaskType? Type, WorkerId Worker) : MeshMessage
{
    /// <summary>TASK_ID; without it the status answers the only task of its type that the worker has, or the one it was last given.</summary>
    public TaskId? Id { get; init; }

    /// <summary>RESULT: the account's balance after the task; null also when the field is of another type than a number.</summary>
    public decimal? Result { get; init; }

    /// <summary>ERROR: why the attempt failed.</summary>
    public string? Error { get; init; }

    /// <summary>HANDED_BACK: with a NOK, the worker has not tried the task, or had to end before it was done; that is no failed attempt.</summary>
    public bool HandedBack { get; init; }
}

/// <summary>ack, server → worker: the status is stored.</summary>
public sealed record Ack : MeshMessage
{
    /// <summary>WORKER_UUID of the status that this acknowledges: workers of the second generation take no other ACK for theirs.</summary>
    public WorkerId? Worker { get; init; }

    /// <summary>TASK_ID of the status that this acknowledges.</summary>
    public TaskId? Id { get; init; }
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

/// <summary>worker_request, borrower → owner.</summary>
/// <param name="Requestor">REQUESTOR_INFO: where lent workers shall connect.</param>
public sealed record WorkerRequest(MeshEndpoint Requestor) : MeshMessage
{
    /// <summary>WORKERS_NEEDED, at least 1; absent in requests of older peers.</summary>
    public int? WorkersNeeded { get; init; }

    /// <summary>SERVER_UUID of the borrower; absent in requests of older peers.</summary>
    public ServerId? Server { get; init; }
}

/// <summary>available, owner → borrower: these workers will come.</summary>
public sealed record Available(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>unavailable, owner → borrower.</summary>
public sealed record Unavailable(ServerId Server) : MeshMessage;

/// <summary>command_release, borrower → owner: these workers are no longer needed.</summary>
public sealed record CommandRelease(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>release_ack, owner → borrower: they may be sent home.</summary>
public sealed record ReleaseAck(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>release_completed, owner → borrower: these came home. A request of its own, with no reply.</summary>
public sealed record ReleaseCompleted(ServerId Server, WorkerList Workers) : MeshMessage;

/// <summary>The answer to bad input: {"STATUS": "NOK", "ERROR": …}, the error naming the field (docs/protocol.md, "Bad input").</summary>
public sealed record Rejection(string Error) : MeshMessage;
