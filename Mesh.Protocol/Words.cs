namespace Mesh.Protocol;

/// <summary>The words that WORKER, STATUS, TASK, RESPONSE, TASKS and FRAMING can have.</summary>
internal enum Word : byte
{
    Unknown,
    Alive,
    Ok,
    Nok,
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

/// <summary>Finds known names and words. By length first, so that most take one comparison.</summary>
internal static class Words
{
    /// <summary>Longer text is no known name or word.</summary>
    public const int MaxBytes = 17;

    public static Word FindWord(ReadOnlySpan<byte> text) => text.Length switch
    {
        2 when text.SequenceEqual(WireNames.Ok) => Word.Ok,
        3 when text.SequenceEqual(WireNames.Ack) => Word.Ack,
        3 when text.SequenceEqual(WireNames.Nok) => Word.Nok,
        4 when text.SequenceEqual(WireNames.Line) => Word.Line,
        5 when text.SequenceEqual(WireNames.Alive) => Word.Alive,
        5 when text.SequenceEqual(WireNames.Query) => Word.Query,
        6 when text.SequenceEqual(WireNames.Update) => Word.Update,
        6 when text.SequenceEqual(WireNames.Return) => Word.Return,
        7 when text.SequenceEqual(WireNames.NoTask) => Word.NoTask,
        8 when text.SequenceEqual(WireNames.Redirect) => Word.Redirect,
        9 when text.SequenceEqual(WireNames.Heartbeat) => Word.Heartbeat,
        9 when text.SequenceEqual(WireNames.Available) => Word.Available,
        9 when text.SequenceEqual(WireNames.WebSocket) => Word.WebSocket,
        11 when text.SequenceEqual(WireNames.ReleaseAck) => Word.ReleaseAck,
        11 when text.SequenceEqual(WireNames.Unavailable) => Word.Unavailable,
        14 when text.SequenceEqual(WireNames.WorkerRequest) => Word.WorkerRequest,
        15 when text.SequenceEqual(WireNames.CommandRelease) => Word.CommandRelease,
        17 when text.SequenceEqual(WireNames.ReleaseCompleted) => Word.ReleaseCompleted,
        _ => Word.Unknown,
    };

    public static Field FindField(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 when name.SequenceEqual(WireNames.Task) => Field.Task,
        4 when name.SequenceEqual(WireNames.User) => Field.User,
        4 when name.SequenceEqual(WireNames.Load) => Field.Load,
        5 when name.SequenceEqual(WireNames.Tasks) => Field.Tasks,
        5 when name.SequenceEqual(WireNames.Error) => Field.Error,
        6 when name.SequenceEqual(WireNames.Status) => Field.Status,
        6 when name.SequenceEqual(WireNames.Worker) => Field.Worker,
        6 when name.SequenceEqual(WireNames.Result) => Field.Result,
        6 when name.SequenceEqual(WireNames.Amount) => Field.Amount,
        7 when name.SequenceEqual(WireNames.TaskId) => Field.TaskId,
        7 when name.SequenceEqual(WireNames.Framing) => Field.Framing,
        8 when name.SequenceEqual(WireNames.Response) => Field.Response,
        11 when name.SequenceEqual(WireNames.WorkerUuid) => Field.WorkerUuid,
        11 when name.SequenceEqual(WireNames.ServerUuid) => Field.ServerUuid,
        11 when name.SequenceEqual(WireNames.TraceParent) => Field.TraceParent,
        11 when name.SequenceEqual(WireNames.HandedBack) => Field.HandedBack,
        12 when name.SequenceEqual(WireNames.WorkersUuid) => Field.WorkersUuid,
        13 when name.SequenceEqual(WireNames.ServerReturn) => Field.ServerReturn,
        14 when name.SequenceEqual(WireNames.RequestorInfo) => Field.RequestorInfo,
        14 when name.SequenceEqual(WireNames.WorkersNeeded) => Field.WorkersNeeded,
        15 when name.SequenceEqual(WireNames.ServerRedirect) => Field.ServerRedirect,
        _ => Field.Unknown,
    };

    public static TaskTypes ToTaskTypes(Word word) => word switch
    {
        Word.Query => TaskTypes.Query,
        Word.Update => TaskTypes.Update,
        _ => TaskTypes.None,
    };
}
