using System.Globalization;

namespace Mesh.Protocol;

/// <summary>Finds escaped unpaired surrogates, on which System.Text.Json throws when it unescapes a string.</summary>
internal static class JsonEscapeValidator
{
    /// <summary>Returns false when an escaped surrogate has no other half.</summary>
    /// <param name="escaped">The content of a well-formed JSON string.</param>
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
