namespace Mesh.Protocol;

/// <summary>The names of the messages in docs/protocol.md, "Messages".</summary>
public static class MessageNames
{
    public static string Of(MeshMessage message) => message switch
    {
        GetTask => "get_task",
        NewTask => "new_task",
        NoTask => "no_task",
        Redirect => "redirect",
        Return => "return",
        TaskStatus => "task_status",
        Ack => "ack",
        Heartbeat => "heartbeat",
        HeartbeatResponse => "heartbeat_response",
        WorkerRequest => "worker_request",
        Available => "available",
        Unavailable => "unavailable",
        CommandRelease => "command_release",
        ReleaseAck => "release_ack",
        ReleaseCompleted => "release_completed",
        Rejection => "rejection",
        _ => throw new InvalidOperationException($"Unknown message {message.GetType().Name}."),
    };
}
