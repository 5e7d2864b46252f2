namespace Mesh.Protocol;

/// <summary>The names and keywords of the protocol as UTF-8 (docs/protocol.md, "Messages", "Optional fields" and "Tasks of any type").</summary>
internal static class WireNames
{
    // Fields of the seed.
    public static ReadOnlySpan<byte> Worker => "WORKER"u8;
    public static ReadOnlySpan<byte> Status => "STATUS"u8;
    public static ReadOnlySpan<byte> Task => "TASK"u8;
    public static ReadOnlySpan<byte> Response => "RESPONSE"u8;
    public static ReadOnlySpan<byte> WorkerUuid => "WORKER_UUID"u8;
    public static ReadOnlySpan<byte> ServerUuid => "SERVER_UUID"u8;
    public static ReadOnlySpan<byte> WorkersUuid => "WORKERS_UUID"u8;
    public static ReadOnlySpan<byte> User => "USER"u8;
    public static ReadOnlySpan<byte> ServerRedirect => "SERVER_REDIRECT"u8;
    public static ReadOnlySpan<byte> ServerReturn => "SERVER_RETURN"u8;
    public static ReadOnlySpan<byte> RequestorInfo => "REQUESTOR_INFO"u8;
    public static ReadOnlySpan<byte> Ip => "ip"u8;
    public static ReadOnlySpan<byte> Port => "port"u8;

    // Our optional fields.
    public static ReadOnlySpan<byte> Amount => "AMOUNT"u8;
    public static ReadOnlySpan<byte> Attempt => "ATTEMPT"u8;
    public static ReadOnlySpan<byte> TaskId => "TASK_ID"u8;
    public static ReadOnlySpan<byte> Tasks => "TASKS"u8;
    public static ReadOnlySpan<byte> Result => "RESULT"u8;
    public static ReadOnlySpan<byte> Error => "ERROR"u8;
    public static ReadOnlySpan<byte> HandedBack => "HANDED_BACK"u8;
    public static ReadOnlySpan<byte> Payload => "PAYLOAD"u8;
    public static ReadOnlySpan<byte> Progress => "PROGRESS"u8;
    public static ReadOnlySpan<byte> Cancel => "CANCEL"u8;
    public static ReadOnlySpan<byte> Retry => "RETRY"u8;
    public static ReadOnlySpan<byte> RetryAfter => "RETRY_AFTER"u8;
    public static ReadOnlySpan<byte> Then => "THEN"u8;
    public static ReadOnlySpan<byte> Framing => "FRAMING"u8;
    public static ReadOnlySpan<byte> WorkersNeeded => "WORKERS_NEEDED"u8;
    public static ReadOnlySpan<byte> Load => "LOAD"u8;
    public static ReadOnlySpan<byte> Queue => "QUEUE"u8;
    public static ReadOnlySpan<byte> Idle => "IDLE"u8;
    public static ReadOnlySpan<byte> TraceParent => "TRACEPARENT"u8;

    // Keywords: the values of WORKER, STATUS, TASK, RESPONSE and FRAMING. TASK can also have the name of any task type.
    public static ReadOnlySpan<byte> Alive => "ALIVE"u8;
    public static ReadOnlySpan<byte> Ok => "OK"u8;
    public static ReadOnlySpan<byte> Nok => "NOK"u8;
    public static ReadOnlySpan<byte> Running => "RUNNING"u8;
    public static ReadOnlySpan<byte> Ack => "ACK"u8;
    public static ReadOnlySpan<byte> Query => "QUERY"u8;
    public static ReadOnlySpan<byte> Update => "UPDATE"u8;
    public static ReadOnlySpan<byte> NoTask => "NO_TASK"u8;
    public static ReadOnlySpan<byte> Redirect => "REDIRECT"u8;
    public static ReadOnlySpan<byte> Return => "RETURN"u8;
    public static ReadOnlySpan<byte> Heartbeat => "HEARTBEAT"u8;
    public static ReadOnlySpan<byte> WorkerRequest => "WORKER_REQUEST"u8;
    public static ReadOnlySpan<byte> CommandRelease => "COMMAND_RELEASE"u8;
    public static ReadOnlySpan<byte> Available => "AVAILABLE"u8;
    public static ReadOnlySpan<byte> Unavailable => "UNAVAILABLE"u8;
    public static ReadOnlySpan<byte> ReleaseAck => "RELEASE_ACK"u8;
    public static ReadOnlySpan<byte> ReleaseCompleted => "RELEASE_COMPLETED"u8;
    public static ReadOnlySpan<byte> Line => "LINE"u8;
    public static ReadOnlySpan<byte> WebSocket => "WEBSOCKET"u8;
}
