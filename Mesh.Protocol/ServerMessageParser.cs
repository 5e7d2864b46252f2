namespace Mesh.Protocol;

/// <summary>Creates the messages between two servers. In the grammar "?" marks optional fields. Each message may also have TRACEPARENT.</summary>
internal static class ServerMessageParser
{
    // {"SERVER_UUID": id, "TASK": "HEARTBEAT", "LOAD"?: {"QUEUE": n, "IDLE": n}}
    public static Heartbeat? Heartbeat(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.ServerUuid, ref error) && fields.ValidateOptional(Field.Load, ref error)
            ? new Heartbeat(ServerIdOf(in fields)) { Load = LoadOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"SERVER_UUID": id, "TASK": "HEARTBEAT", "RESPONSE": "ALIVE", "LOAD"?: {"QUEUE": n, "IDLE": n}}
    public static HeartbeatResponse? HeartbeatResponse(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.ServerUuid, ref error) || !fields.ValidateRequired(Field.Task, ref error) || !fields.ValidateOptional(Field.Load, ref error))
        {
            return null;
        }

        if (fields.Task != Keyword.Heartbeat)
        {
            error = new FieldState(FieldFault.UnknownKeyword).ToError(Field.Task);
            return null;
        }

        return new HeartbeatResponse(ServerIdOf(in fields)) { Load = LoadOf(in fields), TraceParent = fields.TraceParent };
    }

    // {"TASK": "WORKER_REQUEST", "REQUESTOR_INFO": {"ip": host, "port": port}, "WORKERS_NEEDED"?: n, "SERVER_UUID"?: id, "TASKS"?: [type, …]}
    public static WorkerRequest? WorkerRequest(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.RequestorInfo, ref error)
            || !fields.ValidateOptional(Field.WorkersNeeded, ref error)
            || !fields.ValidateOptional(Field.ServerUuid, ref error)
            || !fields.ValidateOptional(Field.Tasks, ref error))
        {
            return null;
        }

        return new WorkerRequest(fields.RequestorInfo)
        {
            WorkersNeeded = fields.IsPresent(Field.WorkersNeeded) ? fields.WorkersNeeded : null,
            Server = fields.IsPresent(Field.ServerUuid) ? ServerIdOf(in fields) : null,
            Tasks = fields.IsPresent(Field.Tasks) ? fields.Tasks : null,
            TraceParent = fields.TraceParent,
        };
    }

    // {"SERVER_UUID": id, "RESPONSE": "AVAILABLE", "WORKERS_UUID": [id, …]}
    public static Available? Available(in MessageFields fields, ref ProtocolError error) =>
        HasServerAndWorkers(in fields, ref error) ? new Available(ServerIdOf(in fields), fields.WorkersUuid) { TraceParent = fields.TraceParent } : null;

    // {"SERVER_UUID": id, "RESPONSE": "UNAVAILABLE"}
    public static Unavailable? Unavailable(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.ServerUuid, ref error) ? new Unavailable(ServerIdOf(in fields)) { TraceParent = fields.TraceParent } : null;

    // {"SERVER_UUID": id, "TASK": "COMMAND_RELEASE", "WORKERS_UUID": [id, …]}
    public static CommandRelease? CommandRelease(in MessageFields fields, ref ProtocolError error) =>
        HasServerAndWorkers(in fields, ref error) ? new CommandRelease(ServerIdOf(in fields), fields.WorkersUuid) { TraceParent = fields.TraceParent } : null;

    // {"SERVER_UUID": id, "RESPONSE": "RELEASE_ACK", "WORKERS_UUID": [id, …]}
    public static ReleaseAck? ReleaseAck(in MessageFields fields, ref ProtocolError error) =>
        HasServerAndWorkers(in fields, ref error) ? new ReleaseAck(ServerIdOf(in fields), fields.WorkersUuid) { TraceParent = fields.TraceParent } : null;

    // {"SERVER_UUID": id, "RESPONSE": "RELEASE_COMPLETED", "WORKERS_UUID": [id, …]}
    public static ReleaseCompleted? ReleaseCompleted(in MessageFields fields, ref ProtocolError error) =>
        HasServerAndWorkers(in fields, ref error) ? new ReleaseCompleted(ServerIdOf(in fields), fields.WorkersUuid) { TraceParent = fields.TraceParent } : null;

    private static bool HasServerAndWorkers(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.ServerUuid, ref error) && fields.ValidateRequired(Field.WorkersUuid, ref error);

    private static ServerId ServerIdOf(in MessageFields fields) => new(fields.ServerUuid);

    private static ServerLoad? LoadOf(in MessageFields fields) => fields.IsPresent(Field.Load) ? fields.Load : null;
}
