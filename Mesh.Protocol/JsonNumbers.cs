using System.Globalization;

namespace Mesh.Protocol;

/// <summary>Measures JSON numbers by their text: <see cref="decimal"/> rounds what it has no room for, without an error.</summary>
public static class JsonNumbers
{
    /// <summary>Decimal places of a number without its trailing zeros: 0 for 12 and 1E+2, 1 for 12.50, 30 for 1e-30.</summary>
    /// <param name="number">A JSON number, well formed.</param>
    public static int CountDecimals(ReadOnlySpan<byte> number)
    {
        var (hasDigits, zeros, decimals, inFraction) = (false, 0, 0L, false);
        var exponent = 0L;
        for (var i = 0; i < number.Length; i++)
        {
            var at = number[i];
            if (at is (byte)'e' or (byte)'E')
            {
                exponent = Exponent(number[(i + 1)..]);
                break;
            }

            if (at == (byte)'.')
            {
                inFraction = true;
            }
            else if (at != (byte)'-')
            {
                decimals += inFraction ? 1 : 0;
                hasDigits |= at != (byte)'0';
                zeros = at == (byte)'0' ? zeros + 1 : 0;
            }
        }

        return hasDigits ? (int)Math.Clamp(decimals - zeros - exponent, 0, int.MaxValue) : 0;
    }

    /// <summary>Whether a value is the number that it was read from, and not rounded.</summary>
    /// <param name="number">A JSON number, well formed.</param>
    /// <param name="value">What it was read as. Rounding lowers its scale.</param>
    public static bool IsExact(ReadOnlySpan<byte> number, decimal value) => CountDecimals(number) <= value.Scale;

    // One of more digits than an int has counts as the largest.
    private static int Exponent(ReadOnlySpan<byte> text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) ? exponent : text[0] == (byte)'-' ? -int.MaxValue : int.MaxValue;
}
