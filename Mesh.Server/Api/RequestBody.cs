using System.Buffers;
using Mesh.Protocol;

namespace Mesh.Server.Api;

/// <summary>The complete body of a request, in a rented buffer that <see cref="Dispose"/> returns.</summary>
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

    /// <summary>The body without a leading byte order mark.</summary>
    public ReadOnlySpan<byte> Json => Utf8ByteOrderMark.Skip(_buffer.AsSpan(0, _length));

    /// <summary>
    /// Reads the body of a request. The limit is checked here and not by the web server, because the web server closes the connection immediately: a client that
    /// is still sending then sees a connection reset instead of the response.
    /// </summary>
    /// <returns>The body, or null when it is larger than <paramref name="maxBytes"/>.</returns>
    /// <exception cref="BadHttpRequestException">The body is incomplete, or is larger than the web server's limit (413).</exception>
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
