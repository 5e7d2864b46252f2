using System.IO.Pipelines;

namespace Mesh.Fuzz;

/// <summary>Two ends of a connection in memory.</summary>
internal sealed class MemoryLink
{
    // Wide enough for all that one case says at once.
    private static readonly PipeOptions Wide = new(pauseWriterThreshold: 4 * 1024 * 1024, resumeWriterThreshold: 1024 * 1024, useSynchronizationContext: false);

    public MemoryLink()
    {
        var (there, back) = (new Pipe(Wide), new Pipe(Wide));
        Near = new End(back.Reader, there.Writer);
        Far = new End(there.Reader, back.Writer);
    }

    /// <summary>The peer's.</summary>
    public IDuplexPipe Near { get; }

    /// <summary>The server's.</summary>
    public IDuplexPipe Far { get; }

    /// <summary>Says it all, hangs up, and listens to the end.</summary>
    /// <exception cref="OperationCanceledException">There was no end.</exception>
    public async Task<byte[]> SayAndListenAsync(byte[] input, CancellationToken limit)
    {
        await Near.Output.WriteAsync(input, limit);
        await Near.Output.CompleteAsync();
        using var heard = new MemoryStream();
        await Near.Input.CopyToAsync(heard, limit);
        await Near.Input.CompleteAsync();
        return heard.ToArray();
    }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>A pipe as a stream, for WebSockets.</summary>
internal sealed class LinkStream(IDuplexPipe pipe) : Stream
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
