using System.Net;
using System.Net.Http.Headers;

namespace MeshAspire.Client.Http;

/// <summary>
/// A JSON body that records whether anything began to send it. A server accepts nothing from a request whose body it has not received, so a request whose body was never begun
/// has certainly not been accepted, whatever the error.
/// </summary>
internal sealed class TrackedContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _json;
    private volatile bool _begun;

    public TrackedContent(ReadOnlyMemory<byte> json)
    {
        _json = json;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    public bool Begun => _begun;

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _begun = true;
        await stream.WriteAsync(_json, cancellationToken).ConfigureAwait(false);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = _json.Length;
        return true;
    }
}
