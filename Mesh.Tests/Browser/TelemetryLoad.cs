using System.Net.Http.Headers;
using System.Security.Cryptography;
using Google.Protobuf;
using MeshAspire.Embedded.Dashboard.Access;
using OpenTelemetry.Proto.Collector.Logs.V1;
using OpenTelemetry.Proto.Collector.Metrics.V1;
using OpenTelemetry.Proto.Collector.Trace.V1;
using OpenTelemetry.Proto.Common.V1;
using OpenTelemetry.Proto.Logs.V1;
using OpenTelemetry.Proto.Metrics.V1;
using OpenTelemetry.Proto.Resource.V1;
using OpenTelemetry.Proto.Trace.V1;

namespace Mesh.Tests.Browser;

/// <summary>Sends a dashboard more telemetry than it keeps: spans and log records as those of tasks, series of every combination of dimensions.</summary>
internal sealed class TelemetryLoad : IDisposable
{
    private const int SpansPerTrace = 5;
    private const int LogsPerTrace = 1;
    private const int Instruments = 20;
    private const int SeriesPerInstrument = 100;

    private readonly HttpClient _http;
    private readonly Resource _resource = new() { Attributes = { Text("service.name", "server-a"), Text("service.instance.id", "server-a-1a2b3c") } };
    private long _now = 1_700_000_000_000_000_000;

    public TelemetryLoad(Uri otlp, string key)
    {
        _http = new HttpClient { BaseAddress = otlp };
        _http.DefaultRequestHeaders.Add(Gate.KeyHeader, key);
    }

    public long Spans { get; private set; }

    /// <summary>Sends so many traces of five spans with six attributes each, and a log record for each trace.</summary>
    public async Task SendTracesAsync(int count)
    {
        var spans = new ScopeSpans { Scope = new InstrumentationScope { Name = "Mesh" } };
        var logs = new ScopeLogs { Scope = new InstrumentationScope { Name = "Mesh.Server" } };
        for (var i = 0; i < count; i++)
        {
            AddTrace(spans, logs);
        }

        await PostAsync("/v1/traces", new ExportTraceServiceRequest { ResourceSpans = { new ResourceSpans { Resource = _resource, ScopeSpans = { spans } } } });
        await PostAsync("/v1/logs", new ExportLogsServiceRequest { ResourceLogs = { new ResourceLogs { Resource = _resource, ScopeLogs = { logs } } } });
        Spans += count * SpansPerTrace;
    }

    /// <summary>Sends the next so many points, a second apart, of 2,000 series.</summary>
    public async Task SendPointsAsync(int count)
    {
        for (var instrument = 0; instrument < Instruments; instrument++)
        {
            var gauge = new Gauge();
            for (var series = 0; series < SeriesPerInstrument; series++)
            {
                for (var i = 0; i < count; i++)
                {
                    gauge.DataPoints.Add(new NumberDataPoint { Attributes = { Text("state", $"{series}") }, TimeUnixNano = (ulong)(_now + (i * 1_000_000_000L)), AsInt = i });
                }
            }

            var metrics = new ScopeMetrics { Scope = new InstrumentationScope { Name = "Mesh" }, Metrics = { new Metric { Name = $"mesh.load.{instrument}", Gauge = gauge } } };
            await PostAsync("/v1/metrics", new ExportMetricsServiceRequest { ResourceMetrics = { new ResourceMetrics { Resource = _resource, ScopeMetrics = { metrics } } } });
        }

        _now += count * 1_000_000_000L;
    }

    public void Dispose() => _http.Dispose();

    private static KeyValue Text(string key, string value) => new() { Key = key, Value = new AnyValue { StringValue = value } };

    private static ByteString Id(int bytes) => ByteString.CopyFrom(RandomNumberGenerator.GetBytes(bytes));

    private void AddTrace(ScopeSpans spans, ScopeLogs logs)
    {
        var (trace, root) = (Id(16), Id(8));
        for (var i = 0; i < SpansPerTrace; i++)
        {
            var message = Guid.NewGuid().ToString("N");
            spans.Spans.Add(new Span
            {
                TraceId = trace,
                SpanId = i == 0 ? root : Id(8),
                ParentSpanId = i == 0 ? ByteString.Empty : root,
                Name = "dispatch QUERY",
                StartTimeUnixNano = (ulong)_now,
                EndTimeUnixNano = (ulong)_now + 1_000_000,
                Attributes =
                {
                    Text("messaging.system", "mesh"), Text("messaging.destination.name", "QUERY"), Text("messaging.operation.name", "dispatch"),
                    Text("messaging.message.id", message), Text("mesh.server.id", "server-a"), Text("mesh.worker.id", "WORKER_902ce8"),
                },
            });
        }

        for (var i = 0; i < LogsPerTrace; i++)
        {
            logs.LogRecords.Add(new LogRecord
            {
                TimeUnixNano = (ulong)_now,
                SeverityNumber = 9,
                TraceId = trace,
                SpanId = root,
                Body = new AnyValue { StringValue = $"Task {trace.ToBase64()} is done by WORKER_902ce8 after one attempt." },
                Attributes = { Text("Task", trace.ToBase64()), Text("Worker", "WORKER_902ce8") },
            });
        }
    }

    private async Task PostAsync(string path, IMessage message)
    {
        using var content = new ByteArrayContent(message.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var answer = await _http.PostAsync(path, content, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}
