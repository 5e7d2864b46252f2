using System.Buffers;
using Mesh.Configuration;
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

/// <summary>What is wrong with a request.</summary>
/// <param name="Field">Its place in the body.</param>
/// <param name="Detail">The rest of the sentence.</param>
internal readonly record struct BodyFault(string Field, string Detail);

/// <summary>What is said of the properties of a body that must not be there (docs/protocol.md, "JSON").</summary>
internal static class PropertyNames
{
    public const string Twice = "is given twice";

    private const int MaxShown = 64;

    /// <summary>A property's name for a problem's field: a long one is cut, and an empty one is seen.</summary>
    public static string Show(string name) => name.Length switch
    {
        0 => "\"\"",
        > MaxShown => string.Concat(name.AsSpan(0, char.IsHighSurrogate(name[MaxShown - 1]) ? MaxShown - 1 : MaxShown), "…"),
        _ => name,
    };

    public static string Unknown(string name, params string[] known) => NearestName.Find(name, known) is { } nearest
        ? $"is unknown; the nearest known property is {nearest}"
        : $"is unknown; the known properties are {string.Join(", ", known)}";
}
