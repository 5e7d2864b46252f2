namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>The newest traces, whole: a trace goes with all of its spans.</summary>
/// <param name="open">Reads all that a span tells.</param>
internal sealed class TraceStore(TelemetryLimits limits, Func<Span, Span> open)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TraceId, Trace> _traces = [];
    private readonly LinkedList<Trace> _byArrival = new();
    private readonly Dictionary<TraceId, HashSet<Span>> _linkedFrom = [];
    private long _version;
    private long _received;

    /// <summary>Changes with whatever is added.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Spans since the start, kept or not.</summary>
    public long Received => Volatile.Read(ref _received);

    public int SpanCount { get; private set; }

    public long Bytes { get; private set; }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _traces.Count;
            }
        }
    }

    public void Add(IReadOnlyList<Span> spans)
    {
        lock (_lock)
        {
            foreach (var span in spans)
            {
                Add(span);
            }

            _received += spans.Count;
            _version++;
        }
    }

    /// <summary>The trace as it is now, its spans by start; null when it isn't known, or not any more.</summary>
    public TraceView? Find(TraceId id)
    {
        Span[] spans;
        Span[] from;
        int left;
        lock (_lock)
        {
            if (!_traces.TryGetValue(id, out var trace))
            {
                return null;
            }

            spans = [.. trace.Spans];
            from = _linkedFrom.TryGetValue(id, out var linked) ? [.. linked] : [];
            left = trace.Left;
        }

        Array.Sort(spans, static (a, b) => a.Start.CompareTo(b.Start));
        Array.Sort(from, static (a, b) => a.Start.CompareTo(b.Start));
        return new TraceView(id, Array.ConvertAll(spans, span => open(span)), left, from);
    }

    /// <summary>The newest traces that pass the filter, and how many pass it in all.</summary>
    public (IReadOnlyList<TraceSummary> Traces, int Matching) Query(TraceFilter filter, int most)
    {
        var result = new List<TraceSummary>();
        var matching = 0;
        var text = filter.Text is { Length: > 0 } wanted ? new WireText(wanted) : null;
        lock (_lock)
        {
            for (var node = _byArrival.Last; node is not null; node = node.Previous)
            {
                if (!node.Value.Passes(filter, text))
                {
                    continue;
                }

                matching++;
                if (result.Count < most)
                {
                    result.Add(node.Value.Summarize());
                }
            }
        }

        result.Sort(static (a, b) => b.Start.CompareTo(a.Start));
        return (result, matching);
    }

    private void Add(Span span)
    {
        if (!_traces.TryGetValue(span.TraceId, out var trace))
        {
            trace = new Trace(span.TraceId);
            _traces.Add(span.TraceId, trace);
            _byArrival.AddLast(trace);
        }

        if (trace.Spans.Count >= limits.SpansPerTrace)
        {
            trace.Left++;
            return;
        }

        // An exporter that got no answer sends again.
        if (trace.TryAdd(span, out var bytes))
        {
            SpanCount++;
            Bytes += bytes;
            foreach (var link in span.Links)
            {
                LinkedFrom(link.TraceId).Add(span);
            }
        }

        while (_traces.Count > limits.Traces || SpanCount > limits.Spans || Bytes > limits.SpanBytes)
        {
            var oldest = _byArrival.First!.Value;
            _byArrival.RemoveFirst();
            _traces.Remove(oldest.Id);
            SpanCount -= oldest.Spans.Count;
            Bytes -= oldest.Bytes;
            foreach (var gone in oldest.Spans)
            {
                ForgetLinks(gone);
            }
        }
    }

    private HashSet<Span> LinkedFrom(TraceId target)
    {
        if (!_linkedFrom.TryGetValue(target, out var spans))
        {
            _linkedFrom.Add(target, spans = new HashSet<Span>(ReferenceEqualityComparer.Instance));
        }

        return spans;
    }

    private void ForgetLinks(Span span)
    {
        foreach (var link in span.Links)
        {
            if (_linkedFrom.TryGetValue(link.TraceId, out var spans) && spans.Remove(span) && spans.Count == 0)
            {
                _linkedFrom.Remove(link.TraceId);
            }
        }
    }
}
