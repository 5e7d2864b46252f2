using System.Diagnostics;
using System.Diagnostics.Metrics;
using MeshAspire.Embedded.Dashboard.Access;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Tests.Dashboard;

/// <summary>A process that sends telemetry with OpenTelemetry's own exporter.</summary>
internal sealed class Exporter : IDisposable
{
    private readonly string _name = $"exporter-{Guid.NewGuid():N}";
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;
    private readonly ILoggerFactory _logs;

    public Exporter(DashboardUnderTest dashboard, OtlpExportProtocol protocol, string service = "server-a", string instance = "server-a-1a2b3c")
    {
        void Configure(OtlpExporterOptions options, string signal)
        {
            options.Protocol = protocol;
            options.Endpoint = protocol is OtlpExportProtocol.Grpc ? dashboard.OtlpGrpc : new Uri(dashboard.OtlpHttp, $"/v1/{signal}");
            options.Headers = $"{Gate.KeyHeader}={DashboardUnderTest.Key}";
        }

        void Describe(ResourceBuilder resource) => resource.Clear().AddService(service, serviceInstanceId: instance);
        Source = new ActivitySource(_name);
        Meter = new Meter(_name);
        _traces = Sdk.CreateTracerProviderBuilder().AddSource(_name).ConfigureResource(Describe)
            .AddOtlpExporter(options =>
            {
                Configure(options, "traces");
                options.BatchExportProcessorOptions = new() { MaxQueueSize = 100_000 };
            }).Build();
        _metrics = Sdk.CreateMeterProviderBuilder().AddMeter(_name).ConfigureResource(Describe)
            .AddOtlpExporter(options => Configure(options, "metrics")).Build();
        _logs = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddOpenTelemetry(options =>
        {
            var resource = ResourceBuilder.CreateEmpty();
            Describe(resource);
            options.IncludeFormattedMessage = true;
            options.SetResourceBuilder(resource).AddOtlpExporter((exporter, processor) =>
            {
                Configure(exporter, "logs");
                processor.ExportProcessorType = ExportProcessorType.Simple;
            });
        }));
    }

    public ActivitySource Source { get; }

    public Meter Meter { get; }

    public ILogger Logger => _logs.CreateLogger("Mesh.Category");

    /// <summary>Returns once the dashboard has answered for all that was recorded.</summary>
    public void Flush() => Assert.True(_traces.ForceFlush() && _metrics.ForceFlush());

    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
        _logs.Dispose();
        Source.Dispose();
        Meter.Dispose();
    }
}
