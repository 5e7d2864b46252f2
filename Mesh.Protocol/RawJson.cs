using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>
/// One JSON value as its text in UTF-8, without white space between its tokens. Strings, numbers, the order of properties and repeated properties stay as they were
/// written. Equal by text.
/// </summary>
public readonly struct RawJson : IEquatable<RawJson>
{
    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t\r\n"u8);
    private static readonly SearchValues<byte> WhiteSpaceAndQuote = SearchValues.Create(" \t\r\n\""u8);

    private readonly byte[]? _utf8;

    private RawJson(byte[] utf8) => _utf8 = utf8;

    /// <summary>The text. Contains no line break.</summary>
    public ReadOnlyMemory<byte> Utf8 => _utf8;

    /// <summary>The length of the text, in bytes.</summary>
    public int Length => _utf8?.Length ?? 0;

    public static bool operator ==(RawJson left, RawJson right) => left.Equals(right);

    public static bool operator !=(RawJson left, RawJson right) => !left.Equals(right);

    /// <summary>Copies a value. The white space between its tokens is removed.</summary>
    /// <param name="json">One well-formed JSON value in UTF-8.</param>
    public static RawJson Copy(ReadOnlySpan<byte> json)
    {
        if (!json.ContainsAny(WhiteSpace))
        {
            return new(json.ToArray());
        }

        var buffer = ArrayPool<byte>.Shared.Rent(json.Length);
        var text = buffer.AsSpan(0, CopyWithoutWhiteSpace(json, buffer)).ToArray();
        ArrayPool<byte>.Shared.Return(buffer);
        return new(text);
    }

    /// <summary>Reads one value of any kind. Returns false for text that is not one JSON value or is nested deeper than a limit.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, int maxDepth, out RawJson value)
    {
        value = default;
        if (!System.Text.Unicode.Utf8.IsValid(json))
        {
            return false;
        }

        // One level more than the limit, so that a value that is too deep does not cost an exception.
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= maxDepth)
                {
                    return false;
                }
            }
        }
        catch (JsonException)
        {
            return false;
        }

        value = Copy(json);
        return true;
    }

    /// <summary>Returns the value as its serialized form.</summary>
    public static RawJson Of(decimal number) => new(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

    /// <inheritdoc cref="Of(decimal)"/>
    public static RawJson Of(JsonElement element) => Copy(JsonMarshal.GetRawUtf8Value(element));

    /// <summary>Returns the value if it is a number that a decimal stores exactly.</summary>
    public bool TryGetDecimal(out decimal number)
    {
        number = 0;
        if (Length == 0)
        {
            return false;
        }

        var reader = new Utf8JsonReader(_utf8);
        return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetDecimal(out number) && JsonNumbers.IsExact(_utf8, number);
    }

    public bool Equals(RawJson other) => Utf8.Span.SequenceEqual(other.Utf8.Span);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is RawJson other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Utf8.Span);
        return hash.ToHashCode();
    }

    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);

    private static int CopyWithoutWhiteSpace(ReadOnlySpan<byte> json, Span<byte> target)
    {
        var written = 0;
        while (!json.IsEmpty)
        {
            var at = json.IndexOfAny(WhiteSpaceAndQuote);
            var length = at < 0 ? json.Length : json[at] == '"' ? at + LengthOfString(json[at..]) : at;
            json[..length].CopyTo(target[written..]);
            written += length;
            json = json[length..];
            var next = json.IndexOfAnyExcept(WhiteSpace);
            json = next < 0 ? default : json[next..];
        }

        return written;
    }

    /// <summary>Returns the length of the string at the start of the text, with its quotes.</summary>
    private static int LengthOfString(ReadOnlySpan<byte> json)
    {
        var end = 1;
        while (true)
        {
            end += json[end..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[end] == '"')
            {
                return end + 1;
            }

            end += 2;
        }
    }
}
