using System.Text;
using System.Text.Json;
using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Reads the body of POST /tasks or the value of THEN, one task or an array, directly into task records without intermediate objects. Reading stops at the first error, and the
/// error names its place in the body, such as [17].amount.
/// </summary>
internal ref struct TaskBodyReader
{
    private const string Whole = "body";
    private const string TypeName = "type";
    private const string UserName = "user";
    private const string AmountName = "amount";
    private const string IdName = "id";
    private const string PayloadName = "payload";
    private const string PriorityName = "priority";
    private const string NotBeforeName = "notBefore";
    private const string DelayName = "delay";
    private const string MaxAttemptsName = "maxAttempts";
    private const string TimeoutName = "timeout";
    private const string RetryName = "retry";

    private static readonly string[] Names =
    [
        TypeName, UserName, AmountName, IdName, PayloadName, PriorityName, NotBeforeName, DelayName, MaxAttemptsName, TimeoutName, RetryName,
    ];

    private readonly ReadOnlySpan<byte> _body;
    private readonly TaskBodyContext _context;
    private Utf8JsonReader _json;
    private int _index;
    private string? _field;
    private bool _isTooLarge;

    private TaskBodyReader(ReadOnlySpan<byte> body, in TaskBodyContext context)
    {
        // A payload lies in a task, which lies in an array.
        _json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ProtocolLimits.MaxValueDepth + 2 });
        _body = body;
        _context = context;
        _index = -1;
    }

    /// <summary>Returns the tasks and whether the body is an array, or the first error in the body.</summary>
    public static (List<TaskRecord> Tasks, bool IsBatch, BodyFault? Fault) Read(ReadOnlySpan<byte> body, in TaskBodyContext context)
    {
        var reader = new TaskBodyReader(body, context);
        var tasks = new List<TaskRecord>();
        try
        {
            var fault = reader.ReadBody(tasks);
            return (tasks, reader._index >= 0, fault);
        }
        catch (JsonException)
        {
            return (tasks, false, reader.Fault($"is not valid JSON, or is nested deeper than {ProtocolLimits.MaxValueDepth} levels"));
        }
        catch (InvalidOperationException)
        {
            // The JSON reader throws this for a string that is not valid UTF-8 or contains half a surrogate pair.
            return (tasks, false, reader.Fault("is not valid Unicode"));
        }
    }

    private BodyFault? ReadBody(List<TaskRecord> tasks)
    {
        _json.Read();
        BodyFault? fault = null;
        if (_json.TokenType == JsonTokenType.StartArray)
        {
            for (_index = 0; fault is null && _json.Read() && _json.TokenType != JsonTokenType.EndArray; _index++)
            {
                fault = ReadTask(tasks);
            }

            if (fault is null && tasks.Count == 0)
            {
                _index = -1;
                return Fault("must contain at least one task");
            }
        }
        else
        {
            fault = ReadTask(tasks);
        }

        // Read throws a JsonException when content follows the value.
        return fault ?? (_json.Read() ? Fault("has content after its end") : null);
    }

    private BodyFault? ReadTask(List<TaskRecord> tasks)
    {
        _field = null;
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return Fault(_index < 0 ? "must be a task or an array of tasks" : "must be an object");
        }

        var task = default(Fields);
        BodyFault? fault = null;
        var given = 0;
        while (fault is null && _json.Read() && _json.TokenType != JsonTokenType.EndObject)
        {
            fault = ReadField(ref task, ref given);
        }

        fault ??= Check(task);
        if (fault is null)
        {
            tasks.Add(ToRecord(task));
        }

        return fault;
    }

    private BodyFault? ReadField(ref Fields task, ref int given)
    {
        var known = _json.IndexOfName(Names);
        if (known < 0)
        {
            var name = _json.GetString()!;
            _field = PropertyNames.Show(name);
            return Fault(PropertyNames.Unknown(name, Names));
        }

        _field = Names[known];

        // JSON readers disagree on which value of a duplicate property is used, so duplicates are errors.
        if ((given & (1 << known)) != 0)
        {
            return Fault(PropertyNames.Twice);
        }

        given |= 1 << known;
        _json.Read();
        var detail = _json.TokenType == JsonTokenType.Null && _field is not (TypeName or UserName) ? null : ReadValue(ref task);
        return detail is null ? null : Fault(detail);
    }

    private string? ReadValue(ref Fields task)
    {
        switch (_field)
        {
            case TypeName:
                return ReadType(ref task);
            case UserName:
                return JsonBodyValues.Text(_json, out task.User!) ?? AccountRules.CheckUser(task.User) ?? JsonBodyValues.CheckPathName(task.User);
            case AmountName:
                return ReadAmount(ref task);
            case IdName:
                return ReadId(ref task);
            case PayloadName:
                return ReadPayload(ref task);
            case PriorityName:
                var wrong = JsonBodyValues.Whole(_json, 0, TaskRecord.MaxPriority, out var priority);
                task.Priority = (byte)priority;
                return wrong;
            case NotBeforeName:
                wrong = JsonBodyValues.Time(_json, out var time);
                task.NotBefore = time;
                return wrong ?? (time - _context.Now > TaskBodyContext.MaxDelay ? $"must not be more than {TaskBodyContext.MaxDelay.TotalDays} days from now" : null);
            case DelayName:
                wrong = JsonBodyValues.Duration(_json, TimeSpan.Zero, TaskBodyContext.MaxDelay, out var delay);
                task.Delay = delay;
                return wrong;
            case MaxAttemptsName:
                wrong = JsonBodyValues.Whole(_json, 1, TaskBodyContext.MaxAttempts, out var attempts);
                task.MaxAttempts = attempts;
                return wrong;
            case TimeoutName:
                wrong = JsonBodyValues.Duration(_json, TimeSpan.FromMilliseconds(1), TaskBodyContext.MaxTimeout, out var timeout);
                task.Timeout = timeout;
                return wrong;
            case RetryName:
                return RetryDelaysReader.Read(ref _json, ref _field, out task.Retry);
            default:
                throw new InvalidOperationException($"Unknown field {_field}.");
        }
    }

    private readonly string? ReadType(ref Fields task)
    {
        task.Type = _json.TokenType == JsonTokenType.String ? TaskType.Parse(_json.GetString()) : null;
        return task.Type is null
            ? $"must be a letter followed by up to {TaskType.MaxLength - 1} letters, digits, '.', '_' and '-', and none of the words that TASK has in other messages"
            : null;
    }

    private readonly string? ReadAmount(ref Fields task)
    {
        if (_json.TokenType != JsonTokenType.Number)
        {
            return "must be a number";
        }

        if (!_json.TryGetDecimal(out var value))
        {
            return "is too large";
        }

        // Converts -0 to 0.
        task.Amount = value == 0 ? 0m : value;
        return JsonNumbers.CountDecimals(_json.ValueSpan) > AccountRules.Decimals ? AccountRules.TooManyDecimals
            : value < 0 ? "must not be negative"
            : AccountRules.CheckAmount(value);
    }

    private readonly string? ReadId(ref Fields task)
    {
        if (JsonBodyValues.Text(_json, out var id) is { } fault)
        {
            return fault;
        }

        task.Id = id;
        return id.Length == 0 ? "must not be empty"
            : Encoding.UTF8.GetByteCount(id) > ProtocolLimits.MaxIdBytes ? $"must not be longer than {ProtocolLimits.MaxIdBytes} bytes"
            : id.Any(char.IsControl) ? "must not contain control characters"
            : JsonBodyValues.CheckPathName(id);
    }

    private string? ReadPayload(ref Fields task)
    {
        var start = (int)_json.TokenStartIndex;
        _json.Skip();
        if (!RawJson.TryParse(_body[start..(int)_json.BytesConsumed], ProtocolLimits.MaxValueDepth, out var payload))
        {
            return $"must not be nested deeper than {ProtocolLimits.MaxValueDepth} levels";
        }

        task.Payload = payload;
        _isTooLarge = payload.Length > _context.MaxPayloadBytes;
        return _isTooLarge ? $"must not be larger than {_context.MaxPayloadBytes} bytes (Mesh__Tasks__MaxPayloadBytes)" : null;
    }

    private BodyFault? Check(in Fields task)
    {
        (_field, var detail) = task switch
        {
            { Type: null } => (TypeName, "is missing"),
            { NotBefore: not null, Delay: not null } => (DelayName, "must not be given together with notBefore"),
            _ when task.IsForAccount => task switch
            {
                { User: null } => (UserName, "is missing"),
                _ when task.Type == TaskType.Update && task.Amount is null => (AmountName, "is missing"),
                { Payload: not null } => (PayloadName, $"is not used by {task.Type}"),
                _ => (null, ""),
            },
            { User: not null } => (UserName, "is used by QUERY and UPDATE only"),
            { Amount: not null } => (AmountName, "is used by UPDATE only"),
            _ => (null, ""),
        };
        return _field is null ? null : Fault(detail);
    }

    private readonly TaskRecord ToRecord(in Fields task)
    {
        var wireId = _context.Parent is { } parent ? FollowUpId.Of(parent, _index) : new TaskId(Guid.CreateVersion7(_context.Now).ToString("N"));
        return new TaskRecord(task.Id ?? wireId.Value, wireId, task.Type!.Value, task.User, task.Type == TaskType.Update ? task.Amount : null, Sequence: 0)
        {
            TraceParent = _context.TraceParent,
            Keyed = task.Id is not null || _context.Parent is not null,
            Payload = task.Payload,
            Priority = task.Priority,
            NotBefore = task.NotBefore ?? (task.Delay > TimeSpan.Zero ? _context.Now + task.Delay : null),
            Limits = task.MaxAttempts is null && task.Timeout is null && task.Retry is null ? null : new TaskLimits(task.MaxAttempts, task.Timeout, task.Retry),
        };
    }

    private readonly BodyFault Fault(string detail) => new(
        (_index, _field) switch
        {
            ( < 0, null) => Whole,
            ( < 0, { } field) => field,
            (_, null) => $"[{_index}]",
            (_, { } field) => $"[{_index}].{field}",
        },
        detail,
        _isTooLarge);

    private struct Fields
    {
        public TaskType? Type;
        public string? User;
        public decimal? Amount;
        public string? Id;
        public RawJson? Payload;
        public byte? Priority;
        public DateTimeOffset? NotBefore;
        public TimeSpan? Delay;
        public int? MaxAttempts;
        public TimeSpan? Timeout;
        public RetryDelays? Retry;

        public readonly bool IsForAccount => Type == TaskType.Query || Type == TaskType.Update;
    }
}
