using MeshAspire.Embedded.Dashboard.Otlp.Intake;
using MeshAspire.Embedded.Dashboard.Telemetry;
using OpenTelemetry.Proto.Collector.Logs.V1;
using OpenTelemetry.Proto.Collector.Metrics.V1;
using OpenTelemetry.Proto.Logs.V1;
using OpenTelemetry.Proto.Metrics.V1;
using OpenTelemetry.Proto.Resource.V1;

namespace MeshAspire.Embedded.Dashboard.Otlp;

/// <summary>Takes what an exporter sends, by whichever transport, into the store.</summary>
internal sealed class OtlpIngest(TelemetryStore store)
{
    private readonly OtlpAttributes _attributes = new(store.Limits, store.Texts);

    public void Add(TraceIntake request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var source = SourceOf(resource.Resource);
            foreach (var scope in resource.ScopeSpans)
            {
                var name = _attributes.Name(scope.Scope?.Name ?? "");
                store.Traces.Add([.. scope.Spans.Select(wire => store.Spans.Read(wire, source, name)).Where(span => !span.TraceId.IsNone && !span.Id.IsNone)]);
            }
        }
    }

    public void Add(ExportLogsServiceRequest request)
    {
        foreach (var resource in request.ResourceLogs)
        {
            var source = SourceOf(resource.Resource);
            foreach (var scope in resource.ScopeLogs)
            {
                var name = _attributes.Name(scope.Scope?.Name ?? "");
                store.Logs.Add([.. scope.LogRecords.Select(record => Read(record, source, name))]);
            }
        }
    }

    public void Add(ExportMetricsServiceRequest request)
    {
        foreach (var resource in request.ResourceMetrics)
        {
            var source = SourceOf(resource.Resource);
            foreach (var scope in resource.ScopeMetrics)
            {
                var meter = _attributes.Name(scope.Scope?.Name ?? "");
                foreach (var metric in scope.Metrics)
                {
                    Add(metric, source, meter);
                }
            }
        }
    }

    private void Add(Metric metric, Source source, string meter)
    {
        InstrumentInfo Info(InstrumentKind kind) => new(
            new(source, meter, _attributes.Name(metric.Name)), _attributes.Name(metric.Description), _attributes.Name(metric.Unit), kind);
        switch (metric.DataCase)
        {
            case Metric.DataOneofCase.Gauge:
                store.Metrics.Add(Info(InstrumentKind.Value), metric.Gauge.DataPoints.Select(point => Read(point, cumulative: true)));
                break;
            case Metric.DataOneofCase.Sum:
                store.Metrics.Add(
                    Info(metric.Sum.IsMonotonic ? InstrumentKind.Counter : InstrumentKind.Value),
                    metric.Sum.DataPoints.Select(point => Read(point, IsCumulative(metric.Sum.AggregationTemporality))));
                break;
            case Metric.DataOneofCase.Histogram:
                store.Metrics.Add(
                    Info(InstrumentKind.Histogram),
                    metric.Histogram.DataPoints.Select(point => Read(point, IsCumulative(metric.Histogram.AggregationTemporality))));
                break;
            case Metric.DataOneofCase.None:
                // An exponential histogram or a summary.
                break;
            default:
                throw new InvalidOperationException($"A metric can't be a {metric.DataCase}.");
        }
    }

    private Reading Read(NumberDataPoint point, bool cumulative) => new(
        _attributes.Dimensions(point.Attributes), (long)point.StartTimeUnixNano, (long)point.TimeUnixNano,
        point.ValueCase is NumberDataPoint.ValueOneofCase.AsInt ? point.AsInt : point.AsDouble, cumulative);

    private HistogramReading Read(HistogramDataPoint point, bool cumulative) => new(
        _attributes.Dimensions(point.Attributes), (long)point.StartTimeUnixNano, (long)point.TimeUnixNano,
        (long)point.Count, point.Sum, point.BucketCounts, point.ExplicitBounds, cumulative);

    private static bool IsCumulative(AggregationTemporality temporality) => temporality is not AggregationTemporality.Delta;

    private Source SourceOf(Resource? resource)
    {
        string Find(string key) => resource?.Attributes.FirstOrDefault(pair => pair.Key == key)?.Value is { } value ? _attributes.Text(value) : "";
        var service = Find("service.name") is { Length: > 0 } name ? name : "unknown";
        return store.Sources.Get(service, Find("service.instance.id"), resource is null ? [] : _attributes.Read(resource.Attributes));
    }

    private LogEntry Read(LogRecord record, Source source, string category) => new()
    {
        Time = (long)(record.TimeUnixNano != 0 ? record.TimeUnixNano : record.ObservedTimeUnixNano),
        Severity = (LogSeverity)Math.Clamp((record.SeverityNumber - 1) / 4, 0, 5),
        Message = _attributes.Text(record.Body),
        Category = category,
        Source = source,
        TraceId = TraceId.Read(record.TraceId.Span),
        SpanId = SpanId.Read(record.SpanId.Span),
        // The template is there beside what it made, which says it all.
        Attributes = _attributes.Read(record.Attributes, pair => pair.Key == "{OriginalFormat}"),
    };
}
