using System.IO.Pipelines;

namespace Mesh.Fuzz;

/// <summary>The two ends of a connection in memory.</summary>
internal sealed class InMemoryConnection
{
    // Larger than the input of any case, so that a write never waits.
    private static readonly PipeOptions Wide = new(pauseWriterThreshold: 4 * 1024 * 1024, resumeWriterThreshold: 1024 * 1024, useSynchronizationContext: false);

    public InMemoryConnection()
    {
        var (there, back) = (new Pipe(Wide), new Pipe(Wide));
        ClientEnd = new End(back.Reader, there.Writer);
        ServerEnd = new End(there.Reader, back.Writer);
    }

    /// <summary>The end of the peer.</summary>
    public IDuplexPipe ClientEnd { get; }

    /// <summary>The end of the server.</summary>
    public IDuplexPipe ServerEnd { get; }

    /// <summary>Sends the input, closes the sending side and returns all that the server sends until it closes the connection.</summary>
    /// <exception cref="OperationCanceledException">The server has not closed the connection within the limit.</exception>
    public async Task<byte[]> SendAndReadToEndAsync(byte[] input, CancellationToken limit)
    {
        await ClientEnd.Output.WriteAsync(input, limit);
        await ClientEnd.Output.CompleteAsync();
        using var heard = new MemoryStream();
        await ClientEnd.Input.CopyToAsync(heard, limit);
        await ClientEnd.Input.CompleteAsync();
        return heard.ToArray();
    }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>A stream over a duplex pipe, for WebSockets.</summary>
internal sealed class DuplexPipeStream(IDuplexPipe pipe) : Stream
{
    private readonly Stream _input = pipe.Input.AsStream();
    private readonly Stream _output = pipe.Output.AsStream();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _input.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _input.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _output.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _output.WriteAsync(buffer, offset, count, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _input.Dispose();
            _output.Dispose();
        }

        base.Dispose(disposing);
    }
}
