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
    public static bool TrySkip(ref Utf8JsonReader json)
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
                if (json.CurrentDepth >= ProtocolLimits.MaxDepth)
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
