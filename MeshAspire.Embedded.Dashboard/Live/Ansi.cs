using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>Colours of a terminal's line as CSS classes; other control sequences are left out.</summary>
internal static partial class Ansi
{
    public static IReadOnlyList<(string Text, string? Look)> Runs(string line)
    {
        if (!line.Contains('\e', StringComparison.Ordinal))
        {
            return [(line, null)];
        }

        var runs = new List<(string, string?)>();
        string? look = null;
        var from = 0;
        foreach (Match match in Sequence().Matches(line))
        {
            if (match.Index > from)
            {
                runs.Add((line[from..match.Index], look));
            }

            from = match.Index + match.Length;
            if (match.ValueSpan[^1] == 'm')
            {
                look = LookOf(match.Groups["codes"].Value, look);
            }
        }

        if (from < line.Length)
        {
            runs.Add((line[from..], look));
        }

        return runs;
    }

    private static string? LookOf(string codes, string? look)
    {
        foreach (var text in codes.Split(';'))
        {
            var code = int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;
            look = code switch
            {
                0 or 39 => null,
                1 => look,
                >= 30 and <= 37 => $"ansi-{code - 30}",
                >= 90 and <= 97 => $"ansi-{code - 90}",
                _ => look,
            };
        }

        return look;
    }

    [GeneratedRegex(@"\e\[(?<codes>[0-9;?]*)[A-Za-z]")]
    private static partial Regex Sequence();
}
