namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>What the list of log records is filtered by; a part left null lets all pass.</summary>
internal sealed record LogFilter(
    string? Source = null, LogSeverity AtLeast = LogSeverity.Trace, string? Text = null, TraceId? TraceId = null, SpanId? SpanId = null);

/// <summary>The newest log records.</summary>
internal sealed class LogStore(TelemetryLimits limits)
{
    private readonly Lock _lock = new();
    private readonly Ring<LogEntry> _entries = new(limits.Logs);
    private readonly Dictionary<string, int> _errors = new(StringComparer.OrdinalIgnoreCase);
    private long _version;
    private long _number;

    public long Version => Volatile.Read(ref _version);

    public long Bytes { get; private set; }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    public void Add(IReadOnlyList<LogEntry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                entry.Number = ++_number;
                Keep(entry);
            }

            _version++;
        }
    }

    /// <summary>Records kept of each replica that are errors or worse.</summary>
    public IReadOnlyDictionary<string, int> Errors()
    {
        lock (_lock)
        {
            return new Dictionary<string, int>(_errors, StringComparer.OrdinalIgnoreCase);
        }
    }

    /// <summary>The records that pass the filter and came last, newest first: processes send in batches, so they are put in order.</summary>
    public IReadOnlyList<LogEntry> Query(LogFilter filter, int most)
    {
        var result = new List<LogEntry>();
        lock (_lock)
        {
            for (var i = _entries.Count - 1; i >= 0 && result.Count < most; i--)
            {
                if (Passes(_entries[i], filter))
                {
                    result.Add(_entries[i]);
                }
            }
        }

        return [.. result.OrderByDescending(entry => entry.Time).ThenByDescending(entry => entry.Number)];
    }

    private static bool Passes(LogEntry entry, LogFilter filter) =>
        entry.Severity >= filter.AtLeast
        && (filter.TraceId is not { } trace || entry.TraceId == trace)
        && (filter.SpanId is not { } span || entry.SpanId == span)
        && (filter.Source is not { Length: > 0 } source || Trace.Named(entry.Source, source))
        && (filter.Text is not { Length: > 0 } text
            || entry.Message.Contains(text, StringComparison.OrdinalIgnoreCase)
            || entry.Category.Contains(text, StringComparison.OrdinalIgnoreCase)
            || entry.Attributes.Any(attribute => attribute.Value.Contains(text, StringComparison.OrdinalIgnoreCase)));

    private void Keep(LogEntry entry)
    {
        CountError(entry, +1);
        Bytes += Size.Of(entry);
        if (_entries.Add(entry, out var dropped))
        {
            Forget(dropped!);
        }

        while (Bytes > limits.LogBytes)
        {
            Forget(_entries.RemoveOldest());
        }
    }

    private void Forget(LogEntry entry)
    {
        CountError(entry, -1);
        Bytes -= Size.Of(entry);
    }

    private void CountError(LogEntry entry, int change)
    {
        if (entry.Severity < LogSeverity.Error)
        {
            return;
        }

        var name = entry.Source.Name;
        var count = _errors.GetValueOrDefault(name) + change;
        if (count == 0)
        {
            _errors.Remove(name);
        }
        else
        {
            _errors[name] = count;
        }
    }
}
