using System.Globalization;

namespace Mesh.Protocol;

/// <summary>Checks JSON numbers by their text, because <see cref="decimal"/> rounds digits that it cannot store without an error.</summary>
public static class JsonNumbers
{
    /// <summary>Returns the number of decimal places of a number without its trailing zeros: 0 for 12 and 1E+2, 1 for 12.50, 30 for 1e-30.</summary>
    /// <param name="number">A well-formed JSON number.</param>
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

    /// <summary>Returns whether a value equals the number that it was read from, and was not rounded.</summary>
    /// <param name="number">A well-formed JSON number.</param>
    /// <param name="value">The value that was read. Rounding lowers its scale.</param>
    public static bool IsExact(ReadOnlySpan<byte> number, decimal value) => CountDecimals(number) <= value.Scale;

    // An exponent with more digits than an int can store counts as the largest.
    private static int Exponent(ReadOnlySpan<byte> text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) ? exponent : text[0] == (byte)'-' ? -int.MaxValue : int.MaxValue;
}
