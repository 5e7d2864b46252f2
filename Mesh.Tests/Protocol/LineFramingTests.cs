using System.Buffers;
using System.Text;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class LineFramingTests
{
    private static readonly Gen<byte[]> Stream =
        from messages in MessageGen.Any.Array[0, 6]
        from ends in Gen.OneOf("\n", "\r\n", "\n\n", "\r\n \t\r\n").Array[messages.Length]
        from rest in Gen.OneOf("", "{\"TASK\"", "junk\n", "\n")
        select messages.Zip(ends).SelectMany(pair => Wire.Bytes(pair.First).Concat(Encoding.UTF8.GetBytes(pair.Second)))
            .Concat(Encoding.UTF8.GetBytes(rest)).ToArray();

    [Fact]
    public void Stream_AnySplitOverReads_GivesTheSameLines() =>
        Gen.Select(Stream, Gen.Double[0, 1].Array[0, 12]).Sample((bytes, cuts) =>
            Assert.Equal(Lines(bytes, []), Lines(bytes, [.. cuts.Select(cut => (int)(cut * bytes.Length)).Order()])));

    [Fact]
    public void Stream_ByteByByte_GivesTheSameLines()
    {
        var bytes = Encoding.UTF8.GetBytes("{\"TASK\": \"NO_TASK\"}\r\n\r\n  \n{\"STATUS\": \"ACK\"}\n{");
        Assert.Equal(["{\"TASK\": \"NO_TASK\"}", "{\"STATUS\": \"ACK\"}"], Lines(bytes, [.. Enumerable.Range(1, bytes.Length - 1)]));
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxMessageBytes, "\n", true)]
    [InlineData(ProtocolLimits.MaxMessageBytes, "\r\n", true)]
    [InlineData(ProtocolLimits.MaxMessageBytes + 1, "\n", false)]
    [InlineData(ProtocolLimits.MaxMessageBytes + 1, "\r\n", false)]
    [InlineData(ProtocolLimits.MaxMessageBytes + 2, "", false)]
    public void Line_LengthAroundLimit_IsAcceptedOrRejected(int length, string end, bool fits)
    {
        var bytes = Encoding.UTF8.GetBytes(new string('x', length) + end);
        foreach (var cuts in new int[][] { [], [length], [1, length - 1, length] })
        {
            string[] expected = [fits ? new string('x', length) : ProtocolError.TooLong.ToString()];
            Assert.Equal(expected, Lines(bytes, cuts));
        }
    }

    [Theory]
    [InlineData('{', true)]
    [InlineData(' ', true)]
    [InlineData('\n', true)]
    [InlineData('\u00EF', true)] // of a byte order mark
    [InlineData('G', false)]
    [InlineData('\0', false)]
    [InlineData('"', false)]
    public void FirstByte_Read_DetectsLineProtocol(char first, bool isLinePeer) => Assert.Equal(isLinePeer, LineFraming.IsLineProtocol((byte)first));

    /// <summary>Returns the lines of reads that end at these positions. An error is the last element.</summary>
    private static List<string> Lines(byte[] bytes, int[] cuts)
    {
        var lines = new List<string>();
        var start = 0;
        foreach (var end in cuts.Append(bytes.Length))
        {
            // The data that is read and not consumed, in segments as in a pipe.
            var buffer = Wire.Cut(bytes.AsMemory(start..end), cuts.Where(cut => cut > start && cut < end).Select(cut => cut - start));
            ProtocolError error;
            while (LineFraming.TryReadLine(ref buffer, out var line, out error))
            {
                lines.Add(Encoding.UTF8.GetString(line));
            }

            if (error.Kind != 0)
            {
                lines.Add(error.ToString());
                break;
            }

            start = end - (int)buffer.Length;
        }

        return lines;
    }
}
