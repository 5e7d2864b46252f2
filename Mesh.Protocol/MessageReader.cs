using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace Mesh.Protocol;

/// <summary>
/// Reads one message. Unknown fields are ignored, the order of fields does not matter, a known field that is given twice is refused, a null is an absent field, and a
/// byte order mark is accepted. Allocates only the message, its strings and its values of any kind. Malformed JSON costs an exception, which is caught here.
/// </summary>
public static class MessageReader
{
    // The level of the message and one level more than the limit of its values. The exception of Utf8JsonReader does not say that the depth was the cause, so MessageFields detects
    // this before it is thrown.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = ProtocolLimits.MaxValueDepth + 2 };

    /// <summary>Reads a whole message without its framing. Returns false with an error for invalid input. Never throws.</summary>
    public static bool TryRead(in ReadOnlySequence<byte> payload, [NotNullWhen(true)] out MeshMessage? message, out ProtocolError error)
    {
        if (payload.IsSingleSegment || payload.Length > ProtocolLimits.MaxMessageBytes)
        {
            return TryRead(payload.FirstSpan, payload.Length, out message, out error);
        }

        var length = (int)payload.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(buffer);
            return TryRead(buffer.AsSpan(0, length), length, out message, out error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a whole message without its framing. Returns false with an error for invalid input. Never throws.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out MeshMessage? message, out ProtocolError error) =>
        TryRead(payload, payload.Length, out message, out error);

    private static bool TryRead(ReadOnlySpan<byte> payload, long length, [NotNullWhen(true)] out MeshMessage? message, out ProtocolError error)
    {
        message = null;
        if (length > ProtocolLimits.MaxMessageBytes)
        {
            error = ProtocolError.TooLong;
            return false;
        }

        if (!Utf8.IsValid(payload))
        {
            error = new(ProtocolErrorKind.NotJson, ProtocolError.WholeMessage, "is not UTF-8");
            return false;
        }

        error = default;
        var fields = default(MessageFields);
        try
        {
            var text = Utf8ByteOrderMark.Skip(payload);
            var json = new Utf8JsonReader(text, Options);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                error = new(ProtocolErrorKind.NotAnObject, ProtocolError.WholeMessage, "must be an object");
                return false;
            }

            return fields.TryRead(text, ref json, ref error) && MessageParser.TryMatch(in fields, out message, ref error);
        }
        catch (JsonException)
        {
            error = new(ProtocolErrorKind.NotJson, FieldState.NameOf(fields.Current), "is not JSON");
            return false;
        }
    }
}
