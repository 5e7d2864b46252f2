using System.Buffers;
using Mesh.Protocol;

namespace Mesh.Server.Api;

/// <summary>A request's whole body in a rented buffer.</summary>
internal readonly struct RequestBody : IDisposable
{
    private const int FirstBytes = 16 * 1024;

    private readonly byte[] _buffer;
    private readonly int _length;

    private RequestBody(byte[] buffer, int length)
    {
        _buffer = buffer;
        _length = length;
    }

    /// <summary>The body without a byte order mark before it.</summary>
    public ReadOnlySpan<byte> Json => Utf8ByteOrderMark.Skip(_buffer.AsSpan(0, _length));

    /// <summary>
    /// Null when the body is larger than <paramref name="maxBytes"/>. The web server's own limit is higher: it would close the connection
    /// at once, and a client that still sends would see a reset instead of the answer.
    /// </summary>
    /// <exception cref="BadHttpRequestException">The body broke off, or is larger than even the web server takes (413).</exception>
    public static async Task<RequestBody?> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
        {
            return null;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        var length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
                if (read == 0)
                {
                    return new RequestBody(buffer, length);
                }

                length += read;
                if (length > maxBytes)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return null;
                }
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
