namespace Thumbnails.Web;

/// <summary>Recognizes pictures by the first bytes of a file.</summary>
internal static class PictureFormat
{
    public const string Known = "JPEG, PNG, WebP, GIF and BMP";

    private const int HeaderLength = 12;

    private static ReadOnlySpan<byte> Jpeg => [0xFF, 0xD8, 0xFF];

    private static ReadOnlySpan<byte> Png => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Returns whether a file begins like a picture. Only the worker finds out whether it can be decoded.</summary>
    public static bool IsPicture(string file)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        using var stream = File.OpenRead(file);
        header = header[..stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false)];
        return header.Length == HeaderLength
            && (header.StartsWith(Jpeg) || header.StartsWith(Png) || header.StartsWith("GIF8"u8) || header.StartsWith("BM"u8)
                || (header.StartsWith("RIFF"u8) && header[8..].SequenceEqual("WEBP"u8)));
    }
}
