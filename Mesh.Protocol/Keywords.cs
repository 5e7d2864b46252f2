namespace Mesh.Protocol;

/// <summary>The known values of WORKER, STATUS, TASK, RESPONSE and FRAMING. TASK can also have the name of any task type.</summary>
internal enum Keyword : byte
{
    Unknown,
    Alive,
    Ok,
    Nok,
    Running,
    Ack,
    Query,
    Update,
    NoTask,
    Redirect,
    Return,
    Heartbeat,
    WorkerRequest,
    CommandRelease,
    Available,
    Unavailable,
    ReleaseAck,
    ReleaseCompleted,
    Line,
    WebSocket,
}

/// <summary>Finds known field names and keywords. Compares the length first, so that most need one comparison.</summary>
internal static class Keywords
{
    /// <summary>The length of the longest known name or keyword, in bytes.</summary>
    public const int MaxBytes = 17;

    public static Keyword FindKeyword(ReadOnlySpan<byte> text) => text.Length switch
    {
        2 when text.SequenceEqual(WireNames.Ok) => Keyword.Ok,
        3 when text.SequenceEqual(WireNames.Ack) => Keyword.Ack,
        3 when text.SequenceEqual(WireNames.Nok) => Keyword.Nok,
        4 when text.SequenceEqual(WireNames.Line) => Keyword.Line,
        5 when text.SequenceEqual(WireNames.Alive) => Keyword.Alive,
        5 when text.SequenceEqual(WireNames.Query) => Keyword.Query,
        6 when text.SequenceEqual(WireNames.Update) => Keyword.Update,
        6 when text.SequenceEqual(WireNames.Return) => Keyword.Return,
        7 when text.SequenceEqual(WireNames.Running) => Keyword.Running,
        7 when text.SequenceEqual(WireNames.NoTask) => Keyword.NoTask,
        8 when text.SequenceEqual(WireNames.Redirect) => Keyword.Redirect,
        9 when text.SequenceEqual(WireNames.Heartbeat) => Keyword.Heartbeat,
        9 when text.SequenceEqual(WireNames.Available) => Keyword.Available,
        9 when text.SequenceEqual(WireNames.WebSocket) => Keyword.WebSocket,
        11 when text.SequenceEqual(WireNames.ReleaseAck) => Keyword.ReleaseAck,
        11 when text.SequenceEqual(WireNames.Unavailable) => Keyword.Unavailable,
        14 when text.SequenceEqual(WireNames.WorkerRequest) => Keyword.WorkerRequest,
        15 when text.SequenceEqual(WireNames.CommandRelease) => Keyword.CommandRelease,
        17 when text.SequenceEqual(WireNames.ReleaseCompleted) => Keyword.ReleaseCompleted,
        _ => Keyword.Unknown,
    };

    public static Field FindField(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 when name.SequenceEqual(WireNames.Task) => Field.Task,
        4 when name.SequenceEqual(WireNames.User) => Field.User,
        4 when name.SequenceEqual(WireNames.Load) => Field.Load,
        4 when name.SequenceEqual(WireNames.Then) => Field.Then,
        5 when name.SequenceEqual(WireNames.Tasks) => Field.Tasks,
        5 when name.SequenceEqual(WireNames.Error) => Field.Error,
        5 when name.SequenceEqual(WireNames.Retry) => Field.Retry,
        6 when name.SequenceEqual(WireNames.Status) => Field.Status,
        6 when name.SequenceEqual(WireNames.Worker) => Field.Worker,
        6 when name.SequenceEqual(WireNames.Result) => Field.Result,
        6 when name.SequenceEqual(WireNames.Amount) => Field.Amount,
        6 when name.SequenceEqual(WireNames.Cancel) => Field.Cancel,
        7 when name.SequenceEqual(WireNames.TaskId) => Field.TaskId,
        7 when name.SequenceEqual(WireNames.Payload) => Field.Payload,
        7 when name.SequenceEqual(WireNames.Attempt) => Field.Attempt,
        7 when name.SequenceEqual(WireNames.Framing) => Field.Framing,
        8 when name.SequenceEqual(WireNames.Response) => Field.Response,
        8 when name.SequenceEqual(WireNames.Progress) => Field.Progress,
        11 when name.SequenceEqual(WireNames.WorkerUuid) => Field.WorkerUuid,
        11 when name.SequenceEqual(WireNames.ServerUuid) => Field.ServerUuid,
        11 when name.SequenceEqual(WireNames.TraceParent) => Field.TraceParent,
        11 when name.SequenceEqual(WireNames.HandedBack) => Field.HandedBack,
        11 when name.SequenceEqual(WireNames.RetryAfter) => Field.RetryAfter,
        12 when name.SequenceEqual(WireNames.WorkersUuid) => Field.WorkersUuid,
        13 when name.SequenceEqual(WireNames.ServerReturn) => Field.ServerReturn,
        14 when name.SequenceEqual(WireNames.RequestorInfo) => Field.RequestorInfo,
        14 when name.SequenceEqual(WireNames.WorkersNeeded) => Field.WorkersNeeded,
        15 when name.SequenceEqual(WireNames.ServerRedirect) => Field.ServerRedirect,
        _ => Field.Unknown,
    };
}
