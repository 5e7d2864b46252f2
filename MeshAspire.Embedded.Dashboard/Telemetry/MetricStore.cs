namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>The newest points of each series; past the limit the series goes that was longest without a point.</summary>
internal sealed class MetricStore(TelemetryLimits limits)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<InstrumentKey, Instrument> _instruments = [];
    private readonly LinkedList<Series> _byUse = new();
    private long _version;

    public long Version => Volatile.Read(ref _version);

    public int SeriesCount
    {
        get
        {
            lock (_lock)
            {
                return _byUse.Count;
            }
        }
    }

    public void Add(InstrumentInfo info, IEnumerable<Reading> readings)
    {
        lock (_lock)
        {
            foreach (var reading in readings)
            {
                Find(info, reading.Dimensions)?.Add(reading);
            }

            _version++;
        }
    }

    public void Add(InstrumentInfo info, IEnumerable<HistogramReading> readings)
    {
        lock (_lock)
        {
            foreach (var reading in readings)
            {
                // A bucket for each bound, and one beyond the last.
                if (reading.Buckets.Count == reading.Bounds.Count + 1)
                {
                    Find(info, reading.Dimensions)?.Add(reading);
                }
            }

            _version++;
        }
    }

    /// <summary>The instruments of a replica by meter and name, first those of its own meters, then those that come with .NET.</summary>
    public IReadOnlyList<InstrumentInfo> Instruments(string source)
    {
        lock (_lock)
        {
            return [.. _instruments.Values.Where(one => Trace.Named(one.Info.Key.Source, source)).Select(one => one.Info)
                .DistinctBy(info => (info.Key.Meter, info.Key.Name))
                .OrderBy(info => info.Key.Meter.StartsWith("System.", StringComparison.Ordinal) || info.Key.Meter.StartsWith("Microsoft.", StringComparison.Ordinal))
                .ThenBy(info => info.Key.Meter, StringComparer.OrdinalIgnoreCase).ThenBy(info => info.Key.Name, StringComparer.OrdinalIgnoreCase)];
        }
    }

    /// <summary>The replicas that have sent metrics.</summary>
    public IReadOnlyList<string> Sources()
    {
        lock (_lock)
        {
            return [.. _instruments.Keys.Select(key => key.Source.Name).Distinct().Order(StringComparer.OrdinalIgnoreCase)];
        }
    }

    /// <summary>Null when the instrument isn't known. Of a service whose instances have no names of their own, the newest one's.</summary>
    public InstrumentView? Find(string source, string meter, string name)
    {
        lock (_lock)
        {
            var instrument = _instruments.Values.LastOrDefault(one =>
                one.Info.Key.Name == name && one.Info.Key.Meter == meter && Trace.Named(one.Info.Key.Source, source));
            return instrument is null ? null : new InstrumentView(
                instrument.Info,
                [.. instrument.Series.Values.Select(node => node.Value.View()).OrderBy(view => view.Dimensions, StringComparer.OrdinalIgnoreCase)],
                instrument.Left);
        }
    }

    private Series? Find(InstrumentInfo info, string dimensions)
    {
        if (!_instruments.TryGetValue(info.Key, out var instrument))
        {
            instrument = new Instrument(info);
            _instruments.Add(info.Key, instrument);
        }

        if (instrument.Series.TryGetValue(dimensions, out var node))
        {
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value;
        }

        if (instrument.Series.Count >= limits.SeriesPerInstrument)
        {
            instrument.Left = true;
            return null;
        }

        var series = new Series(instrument, dimensions, limits.PointsPerSeries);
        instrument.Series.Add(dimensions, _byUse.AddLast(series));
        while (_byUse.Count > limits.Series)
        {
            Forget(_byUse.First!.Value);
        }

        return series;
    }

    private void Forget(Series series)
    {
        _byUse.RemoveFirst();
        var instrument = series.Instrument;
        instrument.Series.Remove(series.Dimensions);
        if (instrument.Series.Count == 0)
        {
            _instruments.Remove(instrument.Info.Key);
        }
    }
}
