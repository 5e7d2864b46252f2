using System.Buffers;
using System.Runtime.CompilerServices;

namespace Mesh.Transport;

/// <summary>
/// A stream to use under a WebSocket, which writes each message separately. Writes between <see cref="BeginBatch"/> and <see cref="FlushBatchAsync"/> are combined into one write.
/// Writes at other times, such as the socket's own pings, are passed on at once. The inner stream must not buffer writes.
/// </summary>
public sealed class BatchingStream(Stream inner) : Stream
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private ArrayBufferWriter<byte> _gathered = new();
    private ArrayBufferWriter<byte> _spare = new();
    private bool _held;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void BeginBatch()
    {
        lock (_lock)
        {
            _held = true;
        }
    }

    public ValueTask FlushBatchAsync()
    {
        lock (_lock)
        {
            _held = false;
        }

        return WriteBatchAsync(CancellationToken.None);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            _gathered.Write(buffer.Span);
            if (_held)
            {
                return default;
            }
        }

        return WriteBatchAsync(cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // The semaphore is not disposed. A write that still waits for it must fail on the inner stream and not on the semaphore.
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteBatchAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var batch = Take();
            if (batch.WrittenCount > 0)
            {
                await inner.WriteAsync(batch.WrittenMemory, cancellationToken);
                batch.ResetWrittenCount();
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private ArrayBufferWriter<byte> Take()
    {
        lock (_lock)
        {
            (_gathered, _spare) = (_spare, _gathered);
            return _spare;
        }
    }
}
