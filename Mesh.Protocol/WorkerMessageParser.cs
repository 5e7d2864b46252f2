namespace Mesh.Protocol;

/// <summary>Creates the messages between a worker and a server. In the grammar "?" marks optional fields. Each message may also have TRACEPARENT.</summary>
internal static class WorkerMessageParser
{
    private static readonly NoTask PlainNoTask = new();
    private static readonly Ack PlainAck = new();

    // {"WORKER": "ALIVE", "WORKER_UUID": id, "SERVER_UUID"?: id, "TASKS"?: [type, …]}
    public static GetTask? GetTask(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.WorkerUuid, ref error)
            || !fields.ValidateOptional(Field.ServerUuid, ref error)
            || !fields.ValidateOptional(Field.Tasks, ref error))
        {
            return null;
        }

        return new GetTask(new WorkerId(fields.WorkerUuid), ServerIdOf(in fields))
        {
            Tasks = fields.IsPresent(Field.Tasks) ? fields.Tasks : null,
            TraceParent = fields.TraceParent,
        };
    }

    // {"TASK": "QUERY", "USER": text, "TASK_ID"?: id, "ATTEMPT"?: number}
    public static NewTask? Query(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.User, ref error) && ValidateTask(in fields, ref error)
            ? new NewTask(TaskType.Query, fields.User) { Id = TaskIdOf(in fields), Attempt = AttemptOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"TASK": "UPDATE", "USER": text, "AMOUNT": number, "TASK_ID"?: id, "ATTEMPT"?: number}
    public static NewTask? Update(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.User, ref error) && fields.ValidateRequired(Field.Amount, ref error) && ValidateTask(in fields, ref error)
            ? new NewTask(TaskType.Update, fields.User, fields.Amount) { Id = TaskIdOf(in fields), Attempt = AttemptOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"TASK": any other type, "PAYLOAD"?: any, "TASK_ID"?: id, "ATTEMPT"?: number}
    public static NewTask? OtherTask(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateOptional(Field.Payload, ref error) && ValidateTask(in fields, ref error)
            ? new NewTask(fields.Type) { Payload = fields.CopyOf(Field.Payload, fields.Payload), Id = TaskIdOf(in fields), Attempt = AttemptOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"TASK": "NO_TASK"}
    public static NoTask NoTask(in MessageFields fields) =>
        fields.TraceParent is null ? PlainNoTask : new NoTask { TraceParent = fields.TraceParent };

    // {"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": host, "port": port}, "FRAMING"?: "LINE" | "WEBSOCKET"}
    public static Redirect? Redirect(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.ServerRedirect, ref error) && fields.ValidateOptional(Field.Framing, ref error)
            ? new Redirect(fields.ServerRedirect) { Framing = FramingOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"TASK": "RETURN", "SERVER_RETURN": {"ip": host, "port": port}, "FRAMING"?: "LINE" | "WEBSOCKET"}
    public static Return? Return(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.ServerReturn, ref error) && fields.ValidateOptional(Field.Framing, ref error)
            ? new Return(fields.ServerReturn) { Framing = FramingOf(in fields), TraceParent = fields.TraceParent }
            : null;

    // {"STATUS": "OK", "TASK"?: type, "WORKER_UUID": id, "TASK_ID"?: id, "RESULT"?: any, "ERROR"?: text, "THEN"?: [any, …]}
    // {"STATUS": "NOK", "TASK"?: type, "WORKER_UUID": id, "TASK_ID"?: id, "RESULT"?: any, "ERROR"?: text, "HANDED_BACK"?: flag, "RETRY"?: flag, "RETRY_AFTER"?: seconds}
    // {"STATUS": "RUNNING", "TASK"?: type, "WORKER_UUID": id, "TASK_ID"?: id, "PROGRESS"?: 0…1}
    public static TaskStatus? TaskStatus(in MessageFields fields, TaskOutcome outcome, ref ProtocolError error)
    {
        if (!fields.ValidateOptional(Field.Task, ref error)
            || !fields.ValidateRequired(Field.WorkerUuid, ref error)
            || !fields.ValidateOptional(Field.TaskId, ref error)
            || !IsDetailValid(in fields, outcome, ref error))
        {
            return null;
        }

        if (fields.IsPresent(Field.Task) && fields.Type == default)
        {
            error = new FieldState(FieldFault.UnknownKeyword).ToError(Field.Task);
            return null;
        }

        var (isOk, isNok) = (outcome == TaskOutcome.Ok, outcome == TaskOutcome.Nok);
        return new TaskStatus(outcome, fields.IsPresent(Field.Task) ? fields.Type : null, new WorkerId(fields.WorkerUuid))
        {
            Id = TaskIdOf(in fields),
            Result = isOk || isNok ? fields.CopyOf(Field.Result, fields.Result) : null,
            Error = (isOk || isNok) && fields.IsPresent(Field.Error) ? fields.Error : null,
            Then = isOk ? fields.CopyOf(Field.Then, fields.Then) : null,
            HandedBack = isNok && fields.HandedBack,
            MayRetry = !isNok || !fields.IsPresent(Field.Retry) || fields.Retry,
            RetryAfter = isNok && fields.IsPresent(Field.RetryAfter) ? TimeSpan.FromTicks((long)Math.Round(fields.RetryAfter * TimeSpan.TicksPerSecond)) : null,
            Progress = outcome == TaskOutcome.Running && fields.IsPresent(Field.Progress) ? fields.Progress : null,
            TraceParent = fields.TraceParent,
        };
    }

    // {"STATUS": "ACK", "WORKER_UUID"?: id, "TASK_ID"?: id, "CANCEL"?: flag}
    public static Ack? Ack(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateOptional(Field.WorkerUuid, ref error) || !fields.ValidateOptional(Field.TaskId, ref error) || !fields.ValidateOptional(Field.Cancel, ref error))
        {
            return null;
        }

        WorkerId? worker = fields.IsPresent(Field.WorkerUuid) ? new WorkerId(fields.WorkerUuid) : null;
        var id = TaskIdOf(in fields);
        return worker is null && id is null && !fields.Cancel && fields.TraceParent is null
            ? PlainAck
            : new Ack { Worker = worker, Id = id, Cancel = fields.Cancel, TraceParent = fields.TraceParent };
    }

    // {"STATUS": "NOK", "ERROR": text}, without TASK and WORKER_UUID
    public static Rejection? Rejection(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateRequired(Field.Error, ref error) ? new Rejection(fields.Error) { TraceParent = fields.TraceParent } : null;

    // Fields of other outcomes are ignored, because peers may give fields of their own these names.
    private static bool IsDetailValid(in MessageFields fields, TaskOutcome outcome, ref ProtocolError error) => outcome switch
    {
        TaskOutcome.Ok => fields.ValidateOptional(Field.Result, ref error)
            && fields.ValidateOptional(Field.Error, ref error)
            && fields.ValidateOptional(Field.HandedBack, ref error)
            && fields.ValidateOptional(Field.Then, ref error),
        TaskOutcome.Nok => fields.ValidateOptional(Field.Result, ref error)
            && fields.ValidateOptional(Field.Error, ref error)
            && fields.ValidateOptional(Field.HandedBack, ref error)
            && fields.ValidateOptional(Field.Retry, ref error)
            && fields.ValidateOptional(Field.RetryAfter, ref error),
        TaskOutcome.Running => fields.ValidateOptional(Field.Progress, ref error),
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No outcome"),
    };

    private static ServerId? ServerIdOf(in MessageFields fields) => fields.IsPresent(Field.ServerUuid) ? new ServerId(fields.ServerUuid) : null;

    private static bool ValidateTask(in MessageFields fields, ref ProtocolError error) =>
        fields.ValidateOptional(Field.TaskId, ref error) && fields.ValidateOptional(Field.Attempt, ref error);

    private static int AttemptOf(in MessageFields fields) => fields.IsPresent(Field.Attempt) ? fields.Attempt : 1;

    private static TaskId? TaskIdOf(in MessageFields fields) => fields.IsPresent(Field.TaskId) ? new TaskId(fields.TaskId) : null;

    private static Framing? FramingOf(in MessageFields fields) => !fields.IsPresent(Field.Framing) ? null : fields.Framing switch
    {
        Keyword.Line => Framing.Line,
        Keyword.WebSocket => Framing.WebSocket,
        _ => null,
    };
}
