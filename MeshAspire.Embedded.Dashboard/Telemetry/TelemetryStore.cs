using MeshAspire.Embedded.Dashboard.Otlp;

namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>All telemetry received, in memory.</summary>
internal sealed class TelemetryStore
{
    public TelemetryStore(TelemetryLimits limits)
    {
        Limits = limits;
        Sources = new(limits);
        Spans = new(limits, Texts);
        Traces = new(limits, Spans.Open);
        Logs = new(limits);
        Metrics = new(limits);
    }

    public TelemetryLimits Limits { get; }

    public TextPool Texts { get; } = new();

    public SourceTable Sources { get; }

    public OtlpSpans Spans { get; }

    public TraceStore Traces { get; }

    public LogStore Logs { get; }

    public MetricStore Metrics { get; }
}
