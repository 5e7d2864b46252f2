namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>All telemetry received, in memory.</summary>
internal sealed class TelemetryStore(TelemetryLimits limits)
{
    public TelemetryLimits Limits => limits;

    public TextPool Texts { get; } = new();

    public SourceTable Sources { get; } = new(limits);

    public TraceStore Traces { get; } = new(limits);

    public LogStore Logs { get; } = new(limits);

    public MetricStore Metrics { get; } = new(limits);
}
