namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>The points of one line, under the store's lock. Makes increases out of totals.</summary>
internal sealed class Series(Instrument instrument, string dimensions, int points)
{
    private readonly Ring<MetricPoint> _points = new(points);
    private ulong[] _buckets = [];
    private double _total;
    private long _time;

    public Instrument Instrument => instrument;

    public string Dimensions => dimensions;

    public void Add(in Reading reading)
    {
        if (instrument.Info.Kind is InstrumentKind.Value)
        {
            Keep(new MetricPoint(reading.Time, reading.Value, reading.Value));
            return;
        }

        // A total that is heard of for the first time may have begun long before.
        var first = _time == 0 && reading.Cumulative;
        var increase = Increase(reading.Value, reading.Cumulative);
        Keep(new MetricPoint(reading.Time, first ? double.NaN : increase / Seconds(reading.Start, reading.Time), _total));
    }

    public void Add(in HistogramReading reading)
    {
        var restarted = reading.Cumulative && reading.Count < _total;
        var increase = Increase(reading.Count, reading.Cumulative);
        var before = reading.Cumulative && !restarted && _buckets.Length == reading.Buckets.Count ? _buckets : null;
        var fresh = new ulong[reading.Buckets.Count];
        for (var i = 0; i < fresh.Length; i++)
        {
            fresh[i] = reading.Buckets[i] - Math.Min(reading.Buckets[i], before?[i] ?? 0);
        }

        _buckets = [.. reading.Buckets];
        Keep(new MetricPoint(
            reading.Time, increase / Seconds(reading.Start, reading.Time), _total,
            Percentiles.Of(0.5, fresh, reading.Bounds), Percentiles.Of(0.9, fresh, reading.Bounds), Percentiles.Of(0.99, fresh, reading.Bounds)));
    }

    public SeriesView View() => new(dimensions, _points.Newest(points));

    private double Increase(double value, bool cumulative)
    {
        // A total that shrank began anew with its process.
        var increase = cumulative && value >= _total ? value - _total : value;
        _total = cumulative ? value : _total + value;
        return increase;
    }

    private double Seconds(long start, long time)
    {
        var nanoseconds = time - (_time == 0 ? start : Math.Max(start, _time));
        return nanoseconds > 0 ? nanoseconds / 1e9 : 1;
    }

    private void Keep(in MetricPoint point)
    {
        _time = point.Time;
        _points.Add(point, out _);
    }
}

/// <summary>An instrument in the store, under its lock.</summary>
internal sealed class Instrument(InstrumentInfo info)
{
    public InstrumentInfo Info => info;

    public Dictionary<string, LinkedListNode<Series>> Series { get; } = new(StringComparer.Ordinal);

    public bool Left { get; set; }
}

internal static class Percentiles
{
    /// <summary>
    /// The value that so great a part of the measurements doesn't exceed, taken as spread evenly within their bucket; in the last
    /// bucket, which has no end, its beginning. NaN where nothing was measured.
    /// </summary>
    public static double Of(double part, IReadOnlyList<ulong> buckets, IReadOnlyList<double> bounds)
    {
        var count = 0UL;
        foreach (var one in buckets)
        {
            count += one;
        }

        if (count == 0 || bounds.Count == 0)
        {
            return double.NaN;
        }

        var rank = part * count;
        var below = 0UL;
        for (var i = 0; i < bounds.Count; i++)
        {
            if (buckets[i] > 0 && below + buckets[i] >= rank)
            {
                var from = i == 0 ? Math.Min(0, bounds[0]) : bounds[i - 1];
                return from + ((bounds[i] - from) * (rank - below) / buckets[i]);
            }

            below += buckets[i];
        }

        return bounds[^1];
    }
}
