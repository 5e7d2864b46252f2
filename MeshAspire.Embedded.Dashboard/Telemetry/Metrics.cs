namespace MeshAspire.Embedded.Dashboard.Telemetry;

public enum InstrumentKind
{
    /// <summary>Shown as it is.</summary>
    Value = 1,

    /// <summary>Only grows: shown as its rate.</summary>
    Counter = 2,

    /// <summary>Shown by percentiles.</summary>
    Histogram = 3,
}

/// <summary>Names an instrument of one process.</summary>
public sealed record InstrumentKey(Source Source, string Meter, string Name);

public sealed record InstrumentInfo(InstrumentKey Key, string Description, string Unit, InstrumentKind Kind);

/// <summary>One export of a series.</summary>
/// <param name="Time">Nanoseconds since 1970 UTC.</param>
/// <param name="Value">The value; of a counter the increase each second, of a histogram the measurements each second.</param>
/// <param name="Total">Of a counter or histogram: all since the process began.</param>
/// <param name="P50">Of a histogram, over what came since the point before; NaN where nothing came.</param>
/// <param name="P90">As <paramref name="P50"/>.</param>
/// <param name="P99">As <paramref name="P50"/>.</param>
public readonly record struct MetricPoint(long Time, double Value, double Total, double P50 = double.NaN, double P90 = double.NaN, double P99 = double.NaN);

/// <summary>The points of one combination of dimensions, oldest first.</summary>
public sealed record SeriesView(string Dimensions, IReadOnlyList<MetricPoint> Points);

/// <summary>An instrument with its lines.</summary>
/// <param name="Info">What it measures.</param>
/// <param name="Series">By dimensions.</param>
/// <param name="Left">Whether further combinations of dimensions came, beyond the limit.</param>
public sealed record InstrumentView(InstrumentInfo Info, IReadOnlyList<SeriesView> Series, bool Left);

/// <summary>A number as it was exported.</summary>
public readonly record struct Reading(string Dimensions, long Start, long Time, double Value, bool Cumulative);

/// <summary>A histogram as it was exported: counts of the buckets between the bounds.</summary>
public readonly record struct HistogramReading(
    string Dimensions, long Start, long Time, long Count, double Sum, IReadOnlyList<ulong> Buckets, IReadOnlyList<double> Bounds, bool Cumulative);
