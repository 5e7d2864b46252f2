using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>The known fields of one object, whatever its shape. A field that is given twice is refused: readers disagree on which of the two counts.</summary>
internal struct MessageFields
{
    public Word Worker;
    public Word Status;
    public Word Task;
    public Word Response;
    public Word Framing;
    public TaskTypes Tasks;
    public int WorkersNeeded;
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
    public decimal Result;
    public bool HandedBack;

    private FieldStates _states;

    /// <summary>A bit for each known field that was read, null or not.</summary>
    private uint _read;

    /// <summary>The field that is being read: names the one at fault when the JSON breaks off inside it.</summary>
    public Field Current { get; private set; }

    public readonly bool IsPresent(Field field) => !_states[(int)field].IsMissing;

    /// <summary>Whether the field is there and good; if not, the error says what it is.</summary>
    public readonly bool Has(Field field, ref ProtocolError error)
    {
        var state = _states[(int)field];
        if (state.IsGood)
        {
            return true;
        }

        error = state.ToError(field);
        return false;
    }

    /// <summary>Whether the field is good or absent; if not, the error says what it is.</summary>
    public readonly bool MayHave(Field field, ref ProtocolError error) => _states[(int)field].IsMissing || Has(field, ref error);

    /// <summary>Reads the object whose start the reader stands on. Throws <see cref="JsonException"/> on malformed JSON.</summary>
    public bool TryRead(ref Utf8JsonReader json, ref ProtocolError error)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            Current = JsonValues.Name(ref json);
            json.Read();
            var state = IsFirst(Current) ? ReadValue(ref json, Current) : new(Fault.Twice);
            if (state.IsFatal)
            {
                error = state.ToError(Current);
                return false;
            }

            _states[(int)Current] = state;
            Current = Field.Unknown;
        }

        // Nothing but white space may follow: the reader throws on anything else.
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
        Field.Unknown => new(JsonValues.TrySkip(ref json) ? Fault.Missing : Fault.TooDeep),
        Field.Worker => JsonValues.Word(ref json, ref Worker),
        Field.Status => JsonValues.Word(ref json, ref Status),
        Field.Task => JsonValues.Word(ref json, ref Task),
        Field.Response => JsonValues.Word(ref json, ref Response),
        Field.WorkerUuid => Id(ref json, ref WorkerUuid),
        Field.ServerUuid => Id(ref json, ref ServerUuid),
        Field.TaskId => Id(ref json, ref TaskId),
        Field.User => Text(ref json, ref User),
        Field.Error => Text(ref json, ref Error),
        Field.HandedBack => JsonValues.Flag(ref json, ref HandedBack),
        Field.Amount => JsonValues.Decimal(ref json, ref Amount),
        Field.Result => ResultOf(JsonValues.Decimal(ref json, ref Result)),
        Field.WorkersNeeded => JsonValues.Whole(ref json, 1, int.MaxValue, ref WorkersNeeded),
        Field.Load => JsonObjects.Load(ref json, ref Load),
        Field.Tasks => JsonObjects.TaskTypes(ref json, ref Tasks),
        Field.WorkersUuid => JsonObjects.Workers(ref json, ref WorkersUuid),
        Field.ServerRedirect => JsonObjects.Endpoint(ref json, ref ServerRedirect),
        Field.ServerReturn => JsonObjects.Endpoint(ref json, ref ServerReturn),
        Field.RequestorInfo => JsonObjects.Endpoint(ref json, ref RequestorInfo),
        Field.Framing => Lenient(JsonValues.Word(ref json, ref Framing)),
        Field.TraceParent => TraceContext(ref json, ref TraceParent),
        _ => throw new InvalidOperationException($"Field {field} has no type"),
    };

    private static FieldState Id(ref Utf8JsonReader json, ref string id) => JsonValues.Text(ref json, ProtocolLimits.MaxIdBytes, mayBeEmpty: false, ref id);

    private static FieldState Text(ref Utf8JsonReader json, ref string text) => JsonValues.Text(ref json, ProtocolLimits.MaxMessageBytes, mayBeEmpty: true, ref text);

    // A framing or a trace that we don't understand is as good as none.
    private static FieldState Lenient(FieldState state) => state.Fault == Fault.UnknownWord ? default : state;

    // Workers of others report what they like: what is no number is stepped over.
    private static FieldState ResultOf(FieldState state) => state.Fault == Fault.NotNumber ? default : state;

    private static FieldState TraceContext(ref Utf8JsonReader json, ref string trace)
    {
        trace = null!;
        if (json.TokenType == JsonTokenType.String && !W3CTraceParent.IsWellFormed(json.ValueSpan))
        {
            return default;
        }

        return JsonValues.Text(ref json, W3CTraceParent.MaxLength, mayBeEmpty: false, ref trace);
    }
}
