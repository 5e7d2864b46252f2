using System.Buffers;
using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>Reads single JSON values at the reader's position. Each method leaves the reader on the last token of the value. Only malformed JSON throws.</summary>
internal static class JsonValueReader
{
    // One byte of text needs at most six bytes in JSON: \u00XX.
    private const int MaxEscape = 6;

    public static FieldState Text(ref Utf8JsonReader json, int maxBytes, bool mayBeEmpty, ref string text)
    {
        if (!IsText(ref json, out var fault))
        {
            return fault;
        }

        var raw = json.ValueSpan;
        if (raw.IsEmpty && !mayBeEmpty)
        {
            return new(FieldFault.Empty);
        }

        if (!json.ValueIsEscaped)
        {
            if (raw.Length > maxBytes)
            {
                return new(FieldFault.TooLong);
            }
        }
        else if (!JsonEscapeValidator.HasPairedSurrogates(raw))
        {
            return new(FieldFault.NotUnicode);
        }
        else if (raw.Length > maxBytes && IsTooLong(ref json, maxBytes))
        {
            return new(FieldFault.TooLong);
        }

        text = json.GetString()!;
        return FieldState.Valid;
    }

    public static FieldState Keyword(ref Utf8JsonReader json, ref Keyword word)
    {
        if (!IsText(ref json, out var fault))
        {
            return fault;
        }

        Span<byte> unescaped = stackalloc byte[Keywords.MaxBytes * MaxEscape];
        word = Keywords.FindKeyword(Unescape(in json, unescaped));
        return word == Protocol.Keyword.Unknown ? new(FieldFault.UnknownKeyword) : FieldState.Valid;
    }

    /// <summary>Reads a value of TASK. The word is one of the protocol's own, or unknown for the type of any other task. The type is the default for a word that is not a task type.</summary>
    public static FieldState TaskWord(ref Utf8JsonReader json, ref Keyword word, ref TaskType type)
    {
        if (!IsText(ref json, out var fault))
        {
            return fault;
        }

        return json.ValueIsEscaped ? EscapedTaskWord(ref json, ref word, ref type) : TaskWord(json.ValueSpan, ref word, ref type);
    }

    /// <summary>Reads a value of any kind, and returns the range of its text in the message.</summary>
    public static FieldState Any(ref Utf8JsonReader json, ref Range text)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return default;
        }

        // The message itself is one level.
        var start = (int)json.TokenStartIndex;
        return TrySkip(ref json, ProtocolLimits.MaxValueDepth + 1) ? Keep(ref text, start..(int)json.BytesConsumed) : new(FieldFault.TooDeep);
    }

    /// <summary>Reads an array of values of any kind, and returns the range of its text in the message.</summary>
    public static FieldState AnyArray(ref Utf8JsonReader json, ref Range text)
    {
        var isArray = json.TokenType == JsonTokenType.StartArray;
        var state = Any(ref json, ref text);
        return isArray || !state.IsValid ? state : new(FieldFault.NotArray);
    }

    /// <summary>Returns the known field of the property name.</summary>
    public static Field Name(ref Utf8JsonReader json)
    {
        Span<byte> unescaped = stackalloc byte[Keywords.MaxBytes * MaxEscape];
        return Keywords.FindField(Unescape(in json, unescaped));
    }

    /// <summary>Returns whether the property name equals a name, escaped or not.</summary>
    public static bool NameIs(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        Span<byte> unescaped = stackalloc byte[Keywords.MaxBytes * MaxEscape];
        return Unescape(in json, unescaped).SequenceEqual(name);
    }

    public static FieldState Whole(ref Utf8JsonReader json, int min, int max, ref int number)
    {
        if (!IsNumber(ref json, out var fault))
        {
            return fault;
        }

        return json.TryGetInt32(out var value) && value >= min && value <= max
            ? Keep(ref number, value)
            : new(FieldFault.OutOfRange);
    }

    /// <summary>Reads a number from 0 to a maximum. It is rounded to a double.</summary>
    public static FieldState Fraction(ref Utf8JsonReader json, double max, ref double number)
    {
        if (!IsNumber(ref json, out var fault))
        {
            return fault;
        }

        // Adding zero removes the sign of a negative zero.
        return json.TryGetDouble(out var value) && value >= 0 && value <= max ? Keep(ref number, value + 0d) : new(FieldFault.OutOfRange);
    }

    public static FieldState Flag(ref Utf8JsonReader json, ref bool flag)
    {
        if (json.TokenType is JsonTokenType.True or JsonTokenType.False)
        {
            return Keep(ref flag, json.TokenType == JsonTokenType.True);
        }

        Is(ref json, JsonTokenType.True, FieldFault.NotBoolean, out var fault);
        return fault;
    }

    public static FieldState Decimal(ref Utf8JsonReader json, ref decimal number)
    {
        if (!IsNumber(ref json, out var fault))
        {
            return fault;
        }

        ReadOnlySpan<byte> text = json.HasValueSequence ? json.ValueSequence.ToArray() : json.ValueSpan;
        return json.TryGetDecimal(out var value) && JsonNumbers.IsExact(text, value) ? Keep(ref number, value) : new(FieldFault.OutOfRange);
    }

    /// <summary>Skips a value of any kind. Returns false when it is nested too deep. Reading must end then.</summary>
    /// <param name="json">The reader.</param>
    /// <param name="maxDepth">The maximum depth, from the message on.</param>
    public static bool TrySkip(ref Utf8JsonReader json, int maxDepth = ProtocolLimits.MaxDepth)
    {
        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return true;
        }

        var depth = json.CurrentDepth;
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                if (json.CurrentDepth >= maxDepth)
                {
                    return false;
                }
            }
            else if (json.CurrentDepth == depth && json.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                return true;
            }
        }

        return true;
    }

    /// <summary>Skips a value of the wrong type, and returns its state.</summary>
    public static FieldState Wrong(ref Utf8JsonReader json, FieldFault fault) =>
        json.TokenType == JsonTokenType.Null ? default : new(TrySkip(ref json) ? fault : FieldFault.TooDeep);

    private static bool IsText(ref Utf8JsonReader json, out FieldState fault) => Is(ref json, JsonTokenType.String, FieldFault.NotText, out fault);

    private static bool IsNumber(ref Utf8JsonReader json, out FieldState fault) => Is(ref json, JsonTokenType.Number, FieldFault.NotNumber, out fault);

    private static bool Is(ref Utf8JsonReader json, JsonTokenType type, FieldFault otherwise, out FieldState fault)
    {
        var matches = json.TokenType == type;
        fault = matches ? FieldState.Valid : Wrong(ref json, otherwise);
        return matches;
    }

    private static FieldState EscapedTaskWord(ref Utf8JsonReader json, ref Keyword word, ref TaskType type)
    {
        Span<byte> unescaped = stackalloc byte[TaskType.MaxLength * MaxEscape];
        return TaskWord(Unescape(in json, unescaped), ref word, ref type);
    }

    private static FieldState TaskWord(ReadOnlySpan<byte> text, ref Keyword word, ref TaskType type)
    {
        word = Keywords.FindKeyword(text);
        switch (word)
        {
            case Protocol.Keyword.Query:
                type = TaskType.Query;
                return FieldState.Valid;
            case Protocol.Keyword.Update:
                type = TaskType.Update;
                return FieldState.Valid;
            case Protocol.Keyword.NoTask or Protocol.Keyword.Redirect or Protocol.Keyword.Return
                or Protocol.Keyword.Heartbeat or Protocol.Keyword.WorkerRequest or Protocol.Keyword.CommandRelease:
                return FieldState.Valid;
            default:
                // The values of other fields, such as OK, are names of task types here.
                word = Protocol.Keyword.Unknown;
                return TaskType.Parse(text) is { } named ? Keep(ref type, named) : new(FieldFault.UnknownKeyword);
        }
    }

    private static FieldState Keep<T>(ref T target, T value)
    {
        target = value;
        return FieldState.Valid;
    }

    private static ReadOnlySpan<byte> Unescape(in Utf8JsonReader json, Span<byte> buffer)
    {
        var raw = json.ValueSpan;
        if (!json.ValueIsEscaped)
        {
            return raw;
        }

        // Text that does not fit into the buffer, or is not valid Unicode, is not a known name or keyword either.
        return raw.Length <= buffer.Length && JsonEscapeValidator.HasPairedSurrogates(raw) ? buffer[..json.CopyString(buffer)] : default;
    }

    private static bool IsTooLong(ref Utf8JsonReader json, int maxBytes)
    {
        if (json.ValueSpan.Length > maxBytes * MaxEscape)
        {
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(json.ValueSpan.Length);
        var length = json.CopyString(buffer);
        ArrayPool<byte>.Shared.Return(buffer);
        return length > maxBytes;
    }
}
