using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>A line of a chart.</summary>
/// <param name="Name">Told beside its values.</param>
/// <param name="Hue">An index into the palette.</param>
/// <param name="Points">Times in nanoseconds since 1970 UTC, oldest first, with values; those that are NaN are left out.</param>
public sealed record ChartLine(string Name, int Hue, IReadOnlyList<(long Time, double Value)> Points);

/// <summary>Lines laid out in a field of 1000 by 1000 over a span of time.</summary>
internal sealed class Chart
{
    public const int Side = 1000;

    private const int Ticks = 4;

    /// <summary>Nanoseconds: points further apart aren't joined.</summary>
    private const long Gap = 15_000_000_000;

    private readonly IReadOnlyList<ChartLine> _lines;
    private readonly string _unit;

    public Chart(IReadOnlyList<ChartLine> lines, long from, long to, string unit)
    {
        (_lines, From, To, _unit) = (lines, from, to, unit);
        var values = lines.SelectMany(line => line.Points).Where(point => point.Time >= from).Select(point => point.Value).Where(double.IsFinite).ToArray();
        var least = Math.Min(0, values.DefaultIfEmpty(0).Min());
        Step = NiceStep((values.DefaultIfEmpty(1).Max() - least) / Ticks, unit);
        Bottom = Math.Floor(least / Step) * Step;
        Top = Math.Max(Bottom + Step, Math.Ceiling(values.DefaultIfEmpty(1).Max() / Step) * Step);
    }

    public long From { get; }

    public long To { get; }

    public double Bottom { get; }

    public double Top { get; }

    public double Step { get; }

    /// <summary>Heights of the grid, 0 to 1 from the top, with what they stand for.</summary>
    public IEnumerable<(double At, string Text)> Levels()
    {
        for (var value = Bottom; value <= Top + (Step / 2); value += Step)
        {
            yield return (1 - ((value - Bottom) / (Top - Bottom)), Units.Write(Math.Abs(value) < Step / 1e6 ? 0 : value, _unit));
        }
    }

    /// <summary>The line as the data of an SVG path.</summary>
    public string Path(ChartLine line)
    {
        var path = new StringBuilder();
        var last = 0L;
        foreach (var (time, value) in line.Points)
        {
            if (time < From || !double.IsFinite(value))
            {
                continue;
            }

            var (x, y) = (X(time), Y(value));
            if (path.Length == 0 || time - last > Gap)
            {
                path.Append(CultureInfo.InvariantCulture, $"M{x:0.#} {y:0.#}");
            }

            path.Append(CultureInfo.InvariantCulture, $"L{x:0.#} {y:0.#}");
            last = time;
        }

        return path.ToString();
    }

    /// <summary>The points with no neighbour to join: as a line they could hardly be seen. Data of an SVG path that is drawn with round ends.</summary>
    public string Dots(ChartLine line)
    {
        var points = line.Points.Where(point => point.Time >= From && double.IsFinite(point.Value)).ToArray();
        var path = new StringBuilder();
        for (var i = 0; i < points.Length; i++)
        {
            if ((i == 0 || points[i].Time - points[i - 1].Time > Gap) && (i == points.Length - 1 || points[i + 1].Time - points[i].Time > Gap))
            {
                path.Append(CultureInfo.InvariantCulture, $"M{X(points[i].Time):0.#} {Y(points[i].Value):0.#}h0");
            }
        }

        return path.ToString();
    }

    /// <summary>What the pointer reads: the times in milliseconds, and the text of each line at each.</summary>
    public string Readings()
    {
        var times = _lines.SelectMany(line => line.Points).Select(point => point.Time / 1_000_000_000).Where(time => time >= From / 1_000_000_000).Distinct().Order().ToArray();
        var lines = _lines.Select(line =>
        {
            var values = new Dictionary<long, double>();
            foreach (var (time, value) in line.Points)
            {
                values[time / 1_000_000_000] = value;
            }

            return new ChartReading(line.Name, line.Hue + 1, [.. times.Select(time => values.TryGetValue(time, out var value) && double.IsFinite(value) ? Units.Write(value, _unit) : null)]);
        });
        return JsonSerializer.Serialize(new ChartReadings([.. times.Select(time => time * 1000)], [.. lines]), JsonSerializerOptions.Web);
    }

    private double X(long time) => Side * (double)(time - From) / (To - From);

    private double Y(double value) => Side * (1 - ((value - Bottom) / (Top - Bottom)));

    /// <summary>1, 2 or 5 times a power of ten, no less than what is asked.</summary>
    private static double NiceStep(double least, string unit)
    {
        if (least <= 0 || !double.IsFinite(least))
        {
            return 1;
        }

        if (unit.StartsWith("By", StringComparison.Ordinal) && least > 1024)
        {
            var size = Math.Pow(1024, Math.Floor(Math.Log(least, 1024)));
            return NiceStep(least / size, "") * size;
        }

        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return (least / power) switch
        {
            <= 1 => power,
            <= 2 => 2 * power,
            <= 5 => 5 * power,
            _ => 10 * power,
        };
    }

    private sealed record ChartReadings(IReadOnlyList<long> Times, IReadOnlyList<ChartReading> Lines);

    private sealed record ChartReading(string Name, int Hue, IReadOnlyList<string?> Texts);
}
