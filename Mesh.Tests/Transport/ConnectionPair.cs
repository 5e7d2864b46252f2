using System.IO.Pipelines;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

/// <summary>Two line connections that are connected in memory.</summary>
internal sealed class ConnectionPair : IAsyncDisposable
{
    private ConnectionPair(MeshConnection near, MeshConnection far)
    {
        Near = near;
        Far = far;
    }

    public MeshConnection Near { get; }

    public MeshConnection Far { get; }

    public static ConnectionPair Create(MeshConnectionOptions? options = null)
    {
        // The pipe holds a few messages only, so that writes to a peer that does not read block.
        var pipe = new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048, useSynchronizationContext: false);
        var out1 = new Pipe(pipe);
        var out2 = new Pipe(pipe);
        void Abort()
        {
            out1.Writer.CancelPendingFlush();
            out2.Writer.CancelPendingFlush();
            out1.Reader.CancelPendingRead();
            out2.Reader.CancelPendingRead();
        }

        options ??= new MeshConnectionOptions();
        return new ConnectionPair(
            new LineConnection(new Duplex(out2.Reader, out1.Writer), "far", options, Abort),
            new LineConnection(new Duplex(out1.Reader, out2.Writer), "near", options, Abort));
    }

    public async ValueTask DisposeAsync()
    {
        Near.Abort(CloseReason.Done);
        Far.Abort(CloseReason.Done);
        await Near.Closed;
        await Far.Closed;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
