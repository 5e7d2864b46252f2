using System.Buffers;

namespace Mesh.Protocol;

/// <summary>The framing of the line protocol: one object per line, ended by \n. A \r before it and blank lines are ignored (docs/protocol.md, "Transport").</summary>
public static class LineFraming
{
    /// <summary>The end of a sent line.</summary>
    public static ReadOnlySpan<byte> End => "\n"u8;

    /// <summary>Returns whether the first byte of a connection belongs to the line protocol. All other bytes belong to HTTP.</summary>
    public static bool IsLineProtocol(byte first) => first is (byte)'{' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or Utf8ByteOrderMark.FirstByte;

    /// <summary>
    /// Removes the next line that is not blank from the buffer. Returns false with an error when the line is longer than
    /// <paramref name="maxBytes"/>. Reading cannot continue then. Returns false without an error when more bytes are needed.
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
        // The last \r may belong to the end of the line.
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
