using System.Buffers;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

/// <summary>Converts text to messages and back.</summary>
internal static class Wire
{
    public static MeshMessage Read(string json)
    {
        Assert.True(MessageReader.TryRead(Encoding.UTF8.GetBytes(json), out var message, out var error), $"{error}: {json}");
        return message;
    }

    public static ProtocolError Fail(string json) => Fail(Encoding.UTF8.GetBytes(json));

    public static ProtocolError Fail(ReadOnlySpan<byte> json)
    {
        Assert.False(MessageReader.TryRead(json, out var message, out var error), $"is {message}");
        Assert.NotEqual(default, error.Kind);
        Assert.NotEmpty(error.Field);
        Assert.StartsWith(error.Field + " ", error.ToString(), StringComparison.Ordinal);
        return error;
    }

    public static byte[] Bytes(MeshMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        MessageWriter.Write(output, message);
        return output.WrittenSpan.ToArray();
    }

    public static string Write(MeshMessage message) => Encoding.UTF8.GetString(Bytes(message));

    /// <summary>Returns the bytes as a sequence of segments that begin at these positions.</summary>
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, params IEnumerable<int> places)
    {
        var first = new Segment(default, 0);
        var last = first;
        var start = 0;
        foreach (var place in places.Append(bytes.Length))
        {
            last = last.Then(bytes[start..place]);
            start = place;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
