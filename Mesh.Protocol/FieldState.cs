using System.Runtime.CompilerServices;

namespace Mesh.Protocol;

/// <summary>The fields that the reader knows. All other fields are ignored.</summary>
internal enum Field : byte
{
    Unknown,
    Worker,
    Status,
    Task,
    Response,
    WorkerUuid,
    ServerUuid,
    WorkersUuid,
    User,
    Amount,
    TaskId,
    Tasks,
    Result,
    Error,
    HandedBack,
    Payload,
    Progress,
    Cancel,
    Retry,
    RetryAfter,
    Then,
    Framing,
    WorkersNeeded,
    Load,
    ServerRedirect,
    ServerReturn,
    RequestorInfo,
    Attempt,
    TraceParent,
}

/// <summary>The part of a field that a <see cref="FieldFault"/> concerns.</summary>
internal enum FieldPart : byte
{
    Whole,
    Item,
    Ip,
    Port,
    Queue,
    Idle,
}

internal enum FieldFault : byte
{
    Missing,
    None,
    NotText,
    NotNumber,
    NotBoolean,
    NotObject,
    NotArray,
    Empty,
    TooLong,
    NotUnicode,
    OutOfRange,
    UnknownKeyword,
    TooManyTypes,
    TooDeep,
    Duplicate,
}

/// <summary>The result of reading a field. The default is an absent field. A null counts as absent.</summary>
internal readonly record struct FieldState(FieldFault FieldFault, FieldPart FieldPart = FieldPart.Whole)
{
    public static readonly FieldState Valid = new(FieldFault.None);

    public bool IsValid => FieldFault == FieldFault.None;

    /// <summary>True when the message is refused, whatever its type, and the rest of it is not read.</summary>
    public bool IsFatal => FieldFault is FieldFault.TooDeep or FieldFault.Duplicate;

    public bool IsMissing => FieldFault == FieldFault.Missing && FieldPart == FieldPart.Whole;

    public FieldState In(FieldPart part) => IsValid ? this : new(FieldFault, part);

    public ProtocolError ToError(Field field)
    {
        var name = NameOf(field) + FieldPart switch
        {
            FieldPart.Whole => "",
            FieldPart.Item => "[]",
            FieldPart.Ip => ".ip",
            FieldPart.Port => ".port",
            FieldPart.Queue => ".QUEUE",
            FieldPart.Idle => ".IDLE",
            _ => throw new InvalidOperationException($"FieldPart {FieldPart} has no name"),
        };
        return FieldFault switch
        {
            FieldFault.Missing => new(ProtocolErrorKind.MissingField, name, "is missing"),
            FieldFault.NotText => new(ProtocolErrorKind.WrongType, name, "must be a string"),
            FieldFault.NotNumber => new(ProtocolErrorKind.WrongType, name, "must be a number"),
            FieldFault.NotBoolean => new(ProtocolErrorKind.WrongType, name, "must be true or false"),
            FieldFault.NotObject => new(ProtocolErrorKind.WrongType, name, "must be an object"),
            FieldFault.NotArray => new(ProtocolErrorKind.WrongType, name, "must be an array"),
            FieldFault.Empty => new(ProtocolErrorKind.BadValue, name, "must not be empty"),
            FieldFault.TooLong => new(ProtocolErrorKind.BadValue, name, "is too long"),
            FieldFault.NotUnicode => new(ProtocolErrorKind.BadValue, name, "contains an unpaired surrogate"),
            FieldFault.OutOfRange => new(ProtocolErrorKind.BadValue, name, "is out of range"),
            FieldFault.UnknownKeyword => new(ProtocolErrorKind.BadValue, name, "has an unknown value"),
            FieldFault.TooManyTypes => new(ProtocolErrorKind.BadValue, name, $"has more than {ProtocolLimits.MaxTaskTypes} task types"),
            FieldFault.TooDeep => new(ProtocolErrorKind.TooDeep, name, "is nested too deep"),
            FieldFault.Duplicate => new(ProtocolErrorKind.DuplicateField, name, "is given twice"),
            FieldFault.None => throw new InvalidOperationException("A valid field has no error"),
            _ => throw new InvalidOperationException($"FieldFault {FieldFault} has no error text"),
        };
    }

    public static string NameOf(Field field) => field switch
    {
        Field.Unknown => ProtocolError.WholeMessage,
        Field.Worker => "WORKER",
        Field.Status => "STATUS",
        Field.Task => "TASK",
        Field.Response => "RESPONSE",
        Field.WorkerUuid => "WORKER_UUID",
        Field.ServerUuid => "SERVER_UUID",
        Field.WorkersUuid => "WORKERS_UUID",
        Field.User => "USER",
        Field.Amount => "AMOUNT",
        Field.TaskId => "TASK_ID",
        Field.Tasks => "TASKS",
        Field.Result => "RESULT",
        Field.Error => "ERROR",
        Field.HandedBack => "HANDED_BACK",
        Field.Payload => "PAYLOAD",
        Field.Progress => "PROGRESS",
        Field.Cancel => "CANCEL",
        Field.Retry => "RETRY",
        Field.RetryAfter => "RETRY_AFTER",
        Field.Then => "THEN",
        Field.Framing => "FRAMING",
        Field.WorkersNeeded => "WORKERS_NEEDED",
        Field.Load => "LOAD",
        Field.ServerRedirect => "SERVER_REDIRECT",
        Field.ServerReturn => "SERVER_RETURN",
        Field.RequestorInfo => "REQUESTOR_INFO",
        Field.Attempt => "ATTEMPT",
        Field.TraceParent => "TRACEPARENT",
        _ => throw new InvalidOperationException($"Field {field} has no name"),
    };
}

/// <summary>One state for each <see cref="Field"/>.</summary>
[InlineArray((int)Field.TraceParent + 1)]
internal struct FieldStates
{
    private FieldState _first;
}
