using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>
/// Receives the spans, log records and metrics that processes export by OTLP over HTTP with protobuf (https://opentelemetry.io/docs/specs/otlp/), on a free port of loopback.
/// Metrics are kept as they arrive.
/// </summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Span>> _traces = [];
    private readonly ConcurrentQueue<LogLine> _logs = [];
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _exports = [];
    private readonly WebApplication _app;

    private SpanReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/{kind}", ReceiveAsync);
    }

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT, with the protocol "http/protobuf".</summary>
    public string Endpoint => _app.Urls.Single();

    /// <summary>The bodies of all requests, with their paths: /v1/traces, /v1/logs, /v1/metrics.</summary>
    public IReadOnlyCollection<(string Path, byte[] Body)> Exports => _exports;

    public IReadOnlyCollection<LogLine> Logs => _logs;

    public Trace[] Traces => [.. _traces.Select(trace => new Trace(trace.Key, [.. trace.Value]))];

    public static async Task<SpanReceiver> StartAsync()
    {
        var receiver = new SpanReceiver();
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>The environment variables that make a process export to this receiver, with short delays.</summary>
    /// <param name="service">The name of the process in its spans and log records.</param>
    public Dictionary<string, string> Environment(string service) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Endpoint,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_SERVICE_NAME"] = service,
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
    };

    /// <summary>Waits for a trace that satisfies a condition, and returns its spans.</summary>
    /// <param name="awaited">What the failure message says was awaited.</param>
    public async Task<Span[]> TraceAsync(string awaited, Func<Span[], bool> satisfies, Func<string>? details = null) => (await Eventually.GetAsync(
        awaited,
        () => Task.FromResult(Traces.Select(trace => trace.Spans).FirstOrDefault(satisfies)),
        trace => trace is not null,
        details: details ?? Names))!;

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private string Names() => string.Join('\n', _traces.SelectMany(trace => trace.Value).CountBy(span => span.Name).Select(name => $"{name.Value} {name.Key}"));

    private async Task<IResult> ReceiveAsync(HttpRequest request, string kind)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
        var body = buffer.ToArray();
        _exports.Enqueue((request.Path, body));
        switch (kind)
        {
            case "traces":
                foreach (var span in OtlpReader.Spans(body))
                {
                    _traces.GetOrAdd(span.Trace, _ => []).Enqueue(span);
                }

                break;
            case "logs":
                foreach (var line in OtlpReader.Logs(body))
                {
                    _logs.Enqueue(line);
                }

                break;
            case "metrics":
                break;
            default:
                return Results.NotFound();
        }

        return Results.Ok();
    }
}
