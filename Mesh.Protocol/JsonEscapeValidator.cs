using System.Globalization;

namespace Mesh.Protocol;

/// <summary>Finds what System.Text.Json would throw on when it unescapes: an escaped surrogate without its other half.</summary>
internal static class JsonEscapeValidator
{
    /// <param name="escaped">The inside of a JSON string that is well formed.</param>
    public static bool HasPairedSurrogates(ReadOnlySpan<byte> escaped)
    {
        var low = false;
        while (true)
        {
            var at = escaped.IndexOf((byte)'\\');
            if (low && at != 0)
            {
                return false;
            }

            if (at < 0)
            {
                return true;
            }

            var unit = escaped[at + 1] == 'u' ? CodeUnit(escaped.Slice(at + 2, 4)) : '\0';
            if (low != char.IsLowSurrogate(unit))
            {
                return false;
            }

            low = char.IsHighSurrogate(unit);
            escaped = escaped[(at + (escaped[at + 1] == 'u' ? 6 : 2))..];
        }
    }

    private static char CodeUnit(ReadOnlySpan<byte> hex) => (char)ushort.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
