using System.Globalization;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>How numbers and times are written.</summary>
internal static class Texts
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Clock(DateTimeOffset time) => time.ToString("HH:mm:ss.fff", Culture);

    public static string Full(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss.fff zzz", Culture);

    /// <summary>Three digits and a unit: 12.3 ms.</summary>
    public static string Duration(long nanoseconds) => nanoseconds switch
    {
        0 => "0 s",
        < 1_000 => string.Create(Culture, $"{nanoseconds} ns"),
        < 1_000_000 => $"{Digits(nanoseconds / 1e3)} µs",
        < 1_000_000_000 => $"{Digits(nanoseconds / 1e6)} ms",
        < 60_000_000_000 => $"{Digits(nanoseconds / 1e9)} s",
        < 3_600_000_000_000 => string.Create(Culture, $"{nanoseconds / 60_000_000_000} min {nanoseconds / 1_000_000_000 % 60} s"),
        _ => string.Create(Culture, $"{nanoseconds / 3_600_000_000_000} h {nanoseconds / 60_000_000_000 % 60} min"),
    };

    public static string Count(long count) => count.ToString("#,0", Culture).Replace(',', '\u2009');

    /// <summary>Three digits, large ones by k, M and G, small ones as they are.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        double.NaN => "–",
        0 => "0",
        >= 1e9 => $"{Digits(value / 1e9)} G",
        >= 1e6 => $"{Digits(value / 1e6)} M",
        >= 1e4 => $"{Digits(value / 1e3)} k",
        < 0.001 => value.ToString("0.##E+0", Culture),
        < 1 => value.ToString("0.###", Culture),
        _ => Digits(value),
    };

    public static string Plural(long count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>A part of a whole for CSS.</summary>
    public static string Percent(double part) => (100 * part).ToString("0.###", Culture) + "%";

    private static string Digits(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("0", Culture),
        >= 10 => value.ToString("0.#", Culture),
        _ => value.ToString("0.##", Culture),
    };
}
