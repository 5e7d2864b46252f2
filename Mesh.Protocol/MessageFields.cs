using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>The known fields of one object of any type. A field that is given twice is refused, because JSON readers disagree on which of the two counts.</summary>
internal ref struct MessageFields
{
    public Keyword Worker;
    public Keyword Status;
    public Keyword Task;
    public Keyword Response;
    public Keyword Framing;

    /// <summary>The type of TASK. The default when TASK is another word of the protocol.</summary>
    public TaskType Type;
    public TaskTypeSet Tasks;
    public int WorkersNeeded;
    public int Attempt;
    public ServerLoad Load;
    public string WorkerUuid;
    public string ServerUuid;
    public string User;
    public string TaskId;
    public string Error;
    public string TraceParent;
    public WorkerList WorkersUuid;
    public MeshEndpoint ServerRedirect;
    public MeshEndpoint ServerReturn;
    public MeshEndpoint RequestorInfo;
    public decimal Amount;
    public double Progress;
    public double RetryAfter;
    public bool HandedBack;
    public bool Cancel;
    public bool Retry;
    public Range Payload;
    public Range Result;
    public Range Then;

    private ReadOnlySpan<byte> _message;
    private FieldStates _states;

    /// <summary>One bit for each known field that was read, including nulls.</summary>
    private uint _read;

    /// <summary>The field that is being read. It is named in the error when the JSON is malformed inside it.</summary>
    public Field Current { get; private set; }

    public readonly bool IsPresent(Field field) => !_states[(int)field].IsMissing;

    /// <summary>Returns whether the field is present and valid. Otherwise sets the error.</summary>
    public readonly bool ValidateRequired(Field field, ref ProtocolError error)
    {
        var state = _states[(int)field];
        if (state.IsValid)
        {
            return true;
        }

        error = state.ToError(field);
        return false;
    }

    /// <summary>Returns whether the field is valid or absent. Otherwise sets the error.</summary>
    public readonly bool ValidateOptional(Field field, ref ProtocolError error) => _states[(int)field].IsMissing || ValidateRequired(field, ref error);

    /// <summary>Copies a value that has been read, such as <see cref="Payload"/>. Null when the field is absent.</summary>
    public readonly RawJson? CopyOf(Field field, Range text) => IsPresent(field) ? RawJson.Copy(_message[text]) : null;

    /// <summary>Reads the object at the reader's position. Throws <see cref="JsonException"/> on malformed JSON.</summary>
    /// <param name="message">The text that the reader reads.</param>
    /// <param name="json">The reader, at the start of the object.</param>
    /// <param name="error">Set when the result is false.</param>
    public bool TryRead(ReadOnlySpan<byte> message, ref Utf8JsonReader json, ref ProtocolError error)
    {
        _message = message;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            Current = JsonValueReader.Name(ref json);
            json.Read();
            var state = IsFirst(Current) ? ReadValue(ref json, Current) : new(FieldFault.Duplicate);
            if (state.IsFatal)
            {
                error = state.ToError(Current);
                return false;
            }

            _states[(int)Current] = state;
            Current = Field.Unknown;
        }

        // Only white space may follow. The reader throws on anything else.
        json.Read();
        return true;
    }

    private bool IsFirst(Field field)
    {
        var bit = field == Field.Unknown ? 0 : 1u << (int)field;
        var isFirst = (_read & bit) == 0;
        _read |= bit;
        return isFirst;
    }

    private FieldState ReadValue(ref Utf8JsonReader json, Field field) => field switch
    {
        Field.Unknown => new(JsonValueReader.TrySkip(ref json) ? FieldFault.Missing : FieldFault.TooDeep),
        Field.Worker => JsonValueReader.Keyword(ref json, ref Worker),
        Field.Status => JsonValueReader.Keyword(ref json, ref Status),
        Field.Task => JsonValueReader.TaskWord(ref json, ref Task, ref Type),
        Field.Response => JsonValueReader.Keyword(ref json, ref Response),
        Field.WorkerUuid => Id(ref json, ref WorkerUuid),
        Field.ServerUuid => Id(ref json, ref ServerUuid),
        Field.TaskId => Id(ref json, ref TaskId),
        Field.User => Text(ref json, ref User),
        Field.Error => Text(ref json, ref Error),
        Field.HandedBack => JsonValueReader.Flag(ref json, ref HandedBack),
        Field.Amount => JsonValueReader.Decimal(ref json, ref Amount),
        Field.Payload => JsonValueReader.Any(ref json, ref Payload),
        Field.Result => JsonValueReader.Any(ref json, ref Result),
        Field.Then => JsonValueReader.AnyArray(ref json, ref Then),
        Field.Progress => JsonValueReader.Fraction(ref json, 1, ref Progress),
        Field.RetryAfter => JsonValueReader.Fraction(ref json, ProtocolLimits.MaxRetryAfter.TotalSeconds, ref RetryAfter),
        Field.Retry => JsonValueReader.Flag(ref json, ref Retry),
        Field.Cancel => JsonValueReader.Flag(ref json, ref Cancel),
        Field.WorkersNeeded => JsonValueReader.Whole(ref json, 1, int.MaxValue, ref WorkersNeeded),
        Field.Attempt => JsonValueReader.Whole(ref json, 1, int.MaxValue, ref Attempt),
        Field.Load => JsonObjectReader.Load(ref json, ref Load),
        Field.Tasks => TaskTypesReader.Read(ref json, _message, ref Tasks),
        Field.WorkersUuid => JsonObjectReader.Workers(ref json, ref WorkersUuid),
        Field.ServerRedirect => JsonObjectReader.Endpoint(ref json, ref ServerRedirect),
        Field.ServerReturn => JsonObjectReader.Endpoint(ref json, ref ServerReturn),
        Field.RequestorInfo => JsonObjectReader.Endpoint(ref json, ref RequestorInfo),
        Field.Framing => Lenient(JsonValueReader.Keyword(ref json, ref Framing)),
        Field.TraceParent => TraceContext(ref json, ref TraceParent),
        _ => throw new InvalidOperationException($"Field {field} has no type"),
    };

    private static FieldState Id(ref Utf8JsonReader json, ref string id) => JsonValueReader.Text(ref json, ProtocolLimits.MaxIdBytes, mayBeEmpty: false, ref id);

    private static FieldState Text(ref Utf8JsonReader json, ref string text) => JsonValueReader.Text(ref json, ProtocolLimits.MaxMessageBytes, mayBeEmpty: true, ref text);

    // An unknown framing or an invalid trace context is treated as absent.
    private static FieldState Lenient(FieldState state) => state.FieldFault == FieldFault.UnknownKeyword ? default : state;

    private static FieldState TraceContext(ref Utf8JsonReader json, ref string trace)
    {
        trace = null!;
        if (json.TokenType == JsonTokenType.String && !W3CTraceParent.IsWellFormed(json.ValueSpan))
        {
            return default;
        }

        return JsonValueReader.Text(ref json, W3CTraceParent.MaxLength, mayBeEmpty: false, ref trace);
    }
}
