namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>Values with the units of OpenTelemetry: UCUM, and what is counted in braces.</summary>
internal static class Units
{
    private static readonly string[] Bytes = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Write(double value, string unit)
    {
        if (!double.IsFinite(value))
        {
            return "–";
        }

        switch (unit)
        {
            case "s":
                return Seconds(value);
            case "ms":
                return Seconds(value / 1e3);
            case "By" or "By/s":
                var size = Math.Min(Bytes.Length - 1, value == 0 ? 0 : (int)Math.Max(0, Math.Log(Math.Abs(value), 1024)));
                return $"{Texts.Number(value / Math.Pow(1024, size))} {Bytes[size]}{(unit == "By" ? "" : "/s")}";
            case "s/s":
                return $"{Texts.Number(value)} s/s";
            default:
                return Name(unit) is { Length: > 0 } name && !name.StartsWith('/') ? Texts.Number(value) : Texts.Number(value) + Name(unit);
        }
    }

    /// <summary>"tasks" for "{task}", "tasks/s" for "{task}/s".</summary>
    public static string Name(string unit) => unit switch
    {
        "1" => "",
        "By" => "bytes",
        "s" => "seconds",
        "1/s" => "/s",
        _ => unit.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal),
    };

    private static string Seconds(double value) => value < 0 ? $"−{Texts.Duration((long)(-value * 1e9))}" : value == 0 ? "0" : Texts.Duration((long)(value * 1e9));
}
