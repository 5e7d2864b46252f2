using System.Runtime.CompilerServices;

namespace Mesh.Protocol;

/// <summary>The fields that the reader knows; all others are ignored.</summary>
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
    Framing,
    WorkersNeeded,
    Load,
    ServerRedirect,
    ServerReturn,
    RequestorInfo,
    TraceParent,
}

/// <summary>The part of a field that a <see cref="Fault"/> is about.</summary>
internal enum Part : byte
{
    Whole,
    Item,
    Ip,
    Port,
    Queue,
    Idle,
}

internal enum Fault : byte
{
    Missing,
    None,
    NotText,
    NotNumber,
    NotFlag,
    NotObject,
    NotArray,
    Empty,
    TooLong,
    NotUnicode,
    OutOfRange,
    UnknownWord,
    TooDeep,
    Twice,
}

/// <summary>What one read of a field came to. The default is an absent field; a null counts as absent.</summary>
internal readonly record struct FieldState(Fault Fault, Part Part = Part.Whole)
{
    public static readonly FieldState Good = new(Fault.None);

    public bool IsGood => Fault == Fault.None;

    /// <summary>The message is refused, whatever its shape, and no more of it is read.</summary>
    public bool IsFatal => Fault is Fault.TooDeep or Fault.Twice;

    public bool IsMissing => Fault == Fault.Missing && Part == Part.Whole;

    public FieldState In(Part part) => IsGood ? this : new(Fault, part);

    public ProtocolError ToError(Field field)
    {
        var name = NameOf(field) + Part switch
        {
            Part.Whole => "",
            Part.Item => "[]",
            Part.Ip => ".ip",
            Part.Port => ".port",
            Part.Queue => ".QUEUE",
            Part.Idle => ".IDLE",
            _ => throw new InvalidOperationException($"Part {Part} has no name"),
        };
        return Fault switch
        {
            Fault.Missing => new(ProtocolErrorKind.MissingField, name, "is missing"),
            Fault.NotText => new(ProtocolErrorKind.WrongType, name, "must be a string"),
            Fault.NotNumber => new(ProtocolErrorKind.WrongType, name, "must be a number"),
            Fault.NotFlag => new(ProtocolErrorKind.WrongType, name, "must be true or false"),
            Fault.NotObject => new(ProtocolErrorKind.WrongType, name, "must be an object"),
            Fault.NotArray => new(ProtocolErrorKind.WrongType, name, "must be an array"),
            Fault.Empty => new(ProtocolErrorKind.BadValue, name, "must not be empty"),
            Fault.TooLong => new(ProtocolErrorKind.BadValue, name, "is too long"),
            Fault.NotUnicode => new(ProtocolErrorKind.BadValue, name, "has half of a surrogate pair"),
            Fault.OutOfRange => new(ProtocolErrorKind.BadValue, name, "is out of range"),
            Fault.UnknownWord => new(ProtocolErrorKind.BadValue, name, "has an unknown value"),
            Fault.TooDeep => new(ProtocolErrorKind.TooDeep, name, "is nested too deep"),
            Fault.Twice => new(ProtocolErrorKind.DuplicateField, name, "is given twice"),
            Fault.None => throw new InvalidOperationException("A good field is no error"),
            _ => throw new InvalidOperationException($"Fault {Fault} has no sentence"),
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
        Field.Framing => "FRAMING",
        Field.WorkersNeeded => "WORKERS_NEEDED",
        Field.Load => "LOAD",
        Field.ServerRedirect => "SERVER_REDIRECT",
        Field.ServerReturn => "SERVER_RETURN",
        Field.RequestorInfo => "REQUESTOR_INFO",
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
