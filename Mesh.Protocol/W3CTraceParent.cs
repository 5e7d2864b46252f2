using System.Buffers;

namespace Mesh.Protocol;

/// <summary>Checks the format of a traceparent: version-traceid-parentid-flags in lower-case hex (W3C Trace Context, 3.2).</summary>
internal static class W3CTraceParent
{
    /// <summary>The maximum accepted length. Version 00 has 55 characters. Later versions may have more.</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    public static bool IsWellFormed(ReadOnlySpan<byte> text) =>
        text.Length is >= 55 and <= MaxLength
        && text[2] == '-' && text[35] == '-' && text[52] == '-'
        && IsHex(text[..2]) && IsHex(text[3..35]) && IsHex(text[36..52]) && IsHex(text[53..55])
        && (text.Length == 55 || (text[55] == '-' && text.IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0 && !text.Contains((byte)'\\')));

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(HexDigits);
}
