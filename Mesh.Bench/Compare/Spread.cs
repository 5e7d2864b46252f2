using System.Globalization;

namespace Mesh.Bench.Compare;

/// <summary>The median of several values, with the smallest and the largest one.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <param name="values">One value at least. The median of an even number of values is the mean of the middle two.</param>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }

    /// <summary>Returns "median (least to most)".</summary>
    public string Text(string format)
    {
        var invariant = CultureInfo.InvariantCulture;
        return $"{Median.ToString(format, invariant)} ({Least.ToString(format, invariant)} to {Most.ToString(format, invariant)})";
    }
}
