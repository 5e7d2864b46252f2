using System.IO.Pipelines;

namespace Mesh.Transport;

/// <summary>A pipe over the stream of a dialed connection. The connection closes when the output is completed. An idle input holds no buffer.</summary>
internal sealed class StreamDuplexPipe : IDuplexPipe
{
    public StreamDuplexPipe(Stream stream)
    {
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(stream);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }
}
