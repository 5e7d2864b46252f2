using System.Buffers;

namespace Mesh.Protocol;

/// <summary>Discards what is written. Used to measure a message.</summary>
internal sealed class DiscardingBufferWriter : IBufferWriter<byte>
{
    private byte[] _buffer = [];

    public void Advance(int count)
    {
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => Reserve(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => Reserve(sizeHint);

    private byte[] Reserve(int bytes) => _buffer.Length >= bytes ? _buffer : _buffer = new byte[Math.Max(bytes, 256)];
}
