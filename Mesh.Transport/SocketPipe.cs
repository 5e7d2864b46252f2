using System.IO.Pipelines;
using System.Net.Sockets;

namespace Mesh.Transport;

/// <summary>A dialled socket as a pipe. Completing the output closes the socket; an idle input holds no buffer.</summary>
internal sealed class SocketPipe : IDuplexPipe
{
    public SocketPipe(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(stream);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }
}
