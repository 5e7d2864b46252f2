using System.Buffers;

namespace Mesh.Protocol;

/// <summary>One object per line, ended by \n; a \r before it, and blank lines, are no part of it (docs/protocol.md, "Transport").</summary>
public static class LineFraming
{
    /// <summary>What ends a line that we send.</summary>
    public static ReadOnlySpan<byte> End => "\n"u8;

    /// <summary>Whether the first byte of a connection is that of a line peer: anything else is HTTP.</summary>
    public static bool IsLineProtocol(byte first) => first is (byte)'{' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or Utf8ByteOrderMark.FirstByte;

    /// <summary>
    /// Takes the next line that is not blank off the buffer. False with an error when the line is longer than
    /// <paramref name="maxBytes"/>, which leaves no way to go on; false without one when more bytes are needed.
    /// </summary>
    public static bool TryReadLine(
        ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line, out ProtocolError error, int maxBytes = ProtocolLimits.MaxMessageBytes)
    {
        error = default;
        while (buffer.PositionOf((byte)'\n') is { } end)
        {
            line = Trim(buffer.Slice(0, end));
            if (line.Length > maxBytes)
            {
                error = ProtocolError.LongerThan(maxBytes);
                return false;
            }

            buffer = buffer.Slice(buffer.GetPosition(1, end));
            if (!IsBlank(in line))
            {
                return true;
            }
        }

        line = default;
        // A \r may still turn out to belong to the line's end.
        if (buffer.Length > maxBytes + 1)
        {
            error = ProtocolError.LongerThan(maxBytes);
        }

        return false;
    }

    private static ReadOnlySequence<byte> Trim(ReadOnlySequence<byte> line)
    {
        if (line.IsEmpty)
        {
            return line;
        }

        var last = line.Slice(line.Length - 1);
        return last.FirstSpan[0] == '\r' ? line.Slice(0, last.Start) : line;
    }

    private static bool IsBlank(in ReadOnlySequence<byte> line)
    {
        foreach (var memory in line)
        {
            if (memory.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
            {
                return false;
            }
        }

        return true;
    }
}
