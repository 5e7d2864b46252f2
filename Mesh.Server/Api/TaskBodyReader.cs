using System.Text;
using System.Text.Json;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Api;

/// <summary>
/// Reads the body of POST /tasks, one task or an array, directly into task records without intermediate objects. Reading stops at the first error, and the
/// error names its place in the body, such as [17].amount.
/// </summary>
internal ref struct TaskBodyReader
{
    private const string Whole = "body";
    private const string TypeName = "type";
    private const string UserName = "user";
    private const string AmountName = "amount";
    private const string IdName = "id";

    private readonly TimeProvider _time;
    private readonly string? _traceParent;
    private Utf8JsonReader _json;
    private int _index;
    private string? _field;

    private TaskBodyReader(ReadOnlySpan<byte> body, string? traceParent, TimeProvider time)
    {
        _json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ProtocolLimits.MaxDepth });
        _traceParent = traceParent;
        _time = time;
        _index = -1;
    }

    /// <summary>Returns the tasks and whether the body is an array, or the first error in the body.</summary>
    public static (List<TaskRecord> Tasks, bool IsBatch, BodyFault? Fault) Read(ReadOnlySpan<byte> body, string? traceParent, TimeProvider time)
    {
        var reader = new TaskBodyReader(body, traceParent, time);
        var tasks = new List<TaskRecord>();
        try
        {
            var fault = reader.ReadBody(tasks);
            return (tasks, reader._index >= 0, fault);
        }
        catch (JsonException)
        {
            return (tasks, false, reader.Fault("is not valid JSON"));
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

        TaskType? type = null;
        string? user = null, id = null;
        decimal? amount = null;
        BodyFault? fault = null;
        var (hasType, hasUser, hasAmount, hasId) = (false, false, false, false);
        while (fault is null && _json.Read() && _json.TokenType != JsonTokenType.EndObject)
        {
            _field = KnownField();
            fault = _field switch
            {
                TypeName => Once(ref hasType) ?? ReadType(ref type),
                UserName => Once(ref hasUser) ?? ReadUser(ref user),
                AmountName => Once(ref hasAmount) ?? ReadAmount(ref amount),
                IdName => Once(ref hasId) ?? ReadId(ref id),
                _ => Unknown(),
            };
        }

        return fault ?? Missing(type, user, amount) ?? Add(tasks, type!.Value, user!, amount, id);
    }

    private readonly string? KnownField() =>
        _json.ValueTextEquals("type"u8) ? TypeName
        : _json.ValueTextEquals("user"u8) ? UserName
        : _json.ValueTextEquals("amount"u8) ? AmountName
        : _json.ValueTextEquals("id"u8) ? IdName
        : null;

    // JSON readers disagree on which value of a duplicate property is used, so duplicates are errors.
    private BodyFault? Once(ref bool has)
    {
        if (has)
        {
            return Fault(PropertyNames.Twice);
        }

        has = true;
        _json.Read();
        return null;
    }

    private BodyFault Unknown()
    {
        var name = _json.GetString()!;
        _field = PropertyNames.Show(name);
        return Fault(PropertyNames.Unknown(name, TypeName, UserName, AmountName, IdName));
    }

    private BodyFault? ReadType(ref TaskType? type)
    {
        if (_json.TokenType == JsonTokenType.String)
        {
            type = _json.ValueTextEquals("QUERY"u8) ? TaskType.Query : _json.ValueTextEquals("UPDATE"u8) ? TaskType.Update : null;
        }

        return type is null ? Fault("must be \"QUERY\" or \"UPDATE\"") : null;
    }

    private BodyFault? ReadText(ref string? text)
    {
        if (_json.TokenType != JsonTokenType.String)
        {
            return Fault("must be a string");
        }

        text = _json.GetString();
        return null;
    }

    private BodyFault? ReadUser(ref string? user) => ReadText(ref user) ?? ((AccountRules.CheckUser(user) ?? PathSegmentDecoder.Check(user!)) is { } wrong ? Fault(wrong) : null);

    private BodyFault? ReadAmount(ref decimal? amount)
    {
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (_json.TokenType != JsonTokenType.Number)
        {
            return Fault("must be a number");
        }

        if (!_json.TryGetDecimal(out var value))
        {
            return Fault("is too large");
        }

        // Converts -0 to 0.
        amount = value == 0 ? 0m : value;
        return JsonNumbers.CountDecimals(_json.ValueSpan) > AccountRules.Decimals ? Fault(AccountRules.TooManyDecimals)
            : value < 0 ? Fault("must not be negative")
            : AccountRules.CheckAmount(value) is { } wrong ? Fault(wrong)
            : null;
    }

    private BodyFault? ReadId(ref string? id)
    {
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (ReadText(ref id) is { } fault)
        {
            return fault;
        }

        return id!.Length == 0 ? Fault("must not be empty")
            : Encoding.UTF8.GetByteCount(id) > ProtocolLimits.MaxIdBytes ? Fault($"must not be longer than {ProtocolLimits.MaxIdBytes} bytes")
            : id.Any(char.IsControl) ? Fault("must not contain control characters")
            : PathSegmentDecoder.Check(id) is { } wrong ? Fault(wrong)
            : null;
    }

    private BodyFault? Missing(TaskType? type, string? user, decimal? amount)
    {
        _field = type is null ? TypeName : user is null ? UserName : type == TaskType.Update && amount is null ? AmountName : null;
        return _field is null ? null : Fault("is missing");
    }

    private readonly BodyFault? Add(List<TaskRecord> tasks, TaskType type, string user, decimal? amount, string? id)
    {
        var wireId = Guid.CreateVersion7(_time.GetUtcNow()).ToString("N");
        tasks.Add(new TaskRecord(id ?? wireId, new TaskId(wireId), type, user, type == TaskType.Update ? amount : null, Sequence: 0)
        {
            TraceParent = _traceParent,
            Keyed = id is not null,
        });
        return null;
    }

    private readonly BodyFault Fault(string detail) => new(
        (_index, _field) switch
        {
            ( < 0, null) => Whole,
            ( < 0, { } field) => field,
            (_, null) => $"[{_index}]",
            (_, { } field) => $"[{_index}].{field}",
        },
        detail);
}
