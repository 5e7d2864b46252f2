using System.Globalization;
using System.Text;

namespace Mesh.Bench.Compare;

/// <summary>Collects the measurements and computes the ratios. A ratio is of two measurements of one round, because the speed of the machine changes between rounds.</summary>
/// <param name="measured">The name of the system that the others are compared with.</param>
internal sealed class CompareReport(string measured)
{
    private readonly List<(int Round, SystemMeasurement Measurement)> _all = [];

    public void Add(int round, SystemMeasurement measurement) => _all.Add((round, measurement));

    /// <summary>Returns the rates of the measured system divided by those of another one, of each round in which both were measured.</summary>
    public IReadOnlyList<double> RatiosTo(string other) =>
    [
        .. from mine in _all
           join theirs in _all on mine.Round equals theirs.Round
           where mine.Measurement.System == measured && theirs.Measurement.System == other
           orderby mine.Round
           select mine.Measurement.TasksPerSecond / theirs.Measurement.TasksPerSecond,
    ];

    /// <summary>Returns one line with the rates of a round, in the order in which the systems were measured.</summary>
    public string DescribeRound(int round)
    {
        var rates = _all.Where(one => one.Round == round).Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Measurement.System} {one.Measurement.TasksPerSecond:N0}"));
        return string.Create(CultureInfo.InvariantCulture, $"Round {round + 1}: {string.Join(", ", rates)} tasks/s");
    }

    /// <summary>Returns the tables of rates, ratios and processor times.</summary>
    public string Summarize()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"system",-10} {"tasks/s",-28} {measured} / system");
        var systems = _all.Select(one => one.Measurement).GroupBy(one => one.System).OrderByDescending(group => group.Key == measured).ToList();
        foreach (var system in systems)
        {
            var ratio = system.Key == measured ? "" : Spread.Of(RatiosTo(system.Key)).Text("0.00");
            text.AppendLine($"{system.Key,-10} {Spread.Of(system.Select(one => one.TasksPerSecond)).Text("N0"),-28} {ratio,-22}".TrimEnd());
        }

        text.AppendLine();
        text.AppendLine("Microseconds of processor time for each task, user + system (medians):");
        text.AppendLine(CultureInfo.InvariantCulture, $"{"system",-10} {"generator",-16} {"server",-16} {"store",-16} {"sum",6} {"processors",11}");
        foreach (var system in systems)
        {
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{system.Key,-10} {PerTask(system, one => one.Generator),-16} {PerTask(system, one => one.Server),-16} {PerTask(system, one => one.Store),-16} {Median(system, one => Microseconds(one, Sum(one).Total)),6:N1} {Median(system, one => Sum(one).Total / one.Elapsed),11:N2}"));
        }

        return text.ToString().TrimEnd();
    }

    private static ProcessorTime Sum(SystemMeasurement one) => one.Generator + (one.Server ?? default) + (one.Store ?? default);

    private static string PerTask(IEnumerable<SystemMeasurement> all, Func<SystemMeasurement, ProcessorTime?> part) => all.All(one => part(one) is null)
        ? "-"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Median(all, one => Microseconds(one, part(one)?.User ?? default)):N1} + {Median(all, one => Microseconds(one, part(one)?.Kernel ?? default)):N1}");

    private static double Microseconds(SystemMeasurement one, TimeSpan time) => time.TotalMicroseconds / one.Tasks;

    private static double Median(IEnumerable<SystemMeasurement> all, Func<SystemMeasurement, double> value) => Spread.Of(all.Select(value)).Median;
}
