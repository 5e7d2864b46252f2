using System.Diagnostics;
using System.Net;
using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Telemetry;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using TraceFilter = MeshAspire.Embedded.Dashboard.Telemetry.TraceFilter;

namespace Mesh.Tests.Dashboard;

public sealed partial class OtlpTests
{
    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task Spans_FromAnExporter_AreOneTrace(OtlpExportProtocol protocol)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var exporter = new Exporter(dashboard, protocol);
        var earlier = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        TraceId id;
        using (var root = exporter.Source.StartActivity("submit", ActivityKind.Server, default(ActivityContext), links: [new(earlier)])!)
        {
            Assert.True(TraceId.TryParse(root.TraceId.ToHexString(), out id));
            root.SetTag("user", "maria").SetTag("amount", 12.5).SetTag("count", 3).SetTag("ok", true).SetTag("list", new[] { "a", "b" });
            using var child = exporter.Source.StartActivity("process", ActivityKind.Consumer)!;
            child.AddEvent(new ActivityEvent("retried"));
            child.SetStatus(ActivityStatusCode.Error, "no such user");
        }

        exporter.Flush();
        var trace = dashboard.Store.Traces.Find(id)!;
        var (first, second) = (trace.Spans[0], trace.Spans[1]);
        Assert.Equal(("submit", SpanKind.Server, "server-a"), (first.Name, first.Kind, first.Source.Name));
        Assert.Equal(
            ["user=maria", "amount=12.5", "count=3", "ok=true", "list=[a, b]"], first.Attributes.Select(attribute => $"{attribute.Key}={attribute.Value}"));
        Assert.Equal(earlier.TraceId.ToHexString(), first.Links.Single().TraceId.ToString());
        Assert.Equal(("process", first.Id, SpanOutcome.Error, "no such user"), (second.Name, second.Parent, second.Outcome, second.Reason));
        Assert.Equal("retried", second.Events.Single().Name);
        Assert.InRange(second.Start, first.Start, first.End);

        var (summaries, matching) = dashboard.Store.Traces.Query(new TraceFilter("server-a", "MARIA", ErrorsOnly: true), 10);
        Assert.Equal((1, "submit", 2, 1), (matching, summaries[0].Name, summaries[0].Spans, summaries[0].Errors));
        Assert.Empty(dashboard.Store.Traces.Query(new TraceFilter("server-b"), 10).Traces);
        Assert.Empty(dashboard.Store.Traces.Query(new TraceFilter(AtLeast: 3_600_000_000_000), 10).Traces);
    }

    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task LogRecords_FromAnExporter_KeepTheirTrace(OtlpExportProtocol protocol)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var exporter = new Exporter(dashboard, protocol);
        using (var span = exporter.Source.StartActivity("work")!)
        {
            LogLost(exporter.Logger, "w1");
            LogNothing(exporter.Logger);
            Assert.True(TraceId.TryParse(span.TraceId.ToHexString(), out var id));
            var entry = Assert.Single(dashboard.Store.Logs.Query(new LogFilter("server-a", LogSeverity.Warning, "w1", id), 10));
            Assert.Equal(("Worker w1 is lost", LogSeverity.Error, "Mesh.Category"), (entry.Message, entry.Severity, entry.Category));
            Assert.Equal(new Tag("Worker", "w1"), Assert.Single(entry.Attributes));
            Assert.Equal(span.SpanId.ToHexString(), entry.SpanId.ToString());
        }

        Assert.Equal(1, dashboard.Store.Logs.Errors()["server-a"]);
        Assert.Equal(2, dashboard.Store.Logs.Query(new LogFilter(), 10).Count);
    }

    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task Metrics_FromAnExporter_AreSeriesByDimensions(OtlpExportProtocol protocol)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var exporter = new Exporter(dashboard, protocol);
        var counter = exporter.Meter.CreateCounter<long>("mesh.tasks", "{task}", "Tasks by result.");
        var gauge = exporter.Meter.CreateGauge<int>("mesh.queue");
        var histogram = exporter.Meter.CreateHistogram<double>("mesh.time", "s", null, null, new() { HistogramBucketBoundaries = [1, 2, 4] });
        counter.Add(2, new KeyValuePair<string, object?>("result", "done"));
        gauge.Record(7);
        histogram.Record(1.5);
        histogram.Record(3);
        exporter.Flush();
        counter.Add(3, new KeyValuePair<string, object?>("result", "done"));
        counter.Add(1, new KeyValuePair<string, object?>("result", "dead"));
        exporter.Flush();

        InstrumentView Find(string name) => dashboard.Store.Metrics.Find("server-a", exporter.Meter.Name, name)!;
        var tasks = Find("mesh.tasks");
        Assert.Equal((InstrumentKind.Counter, "{task}", "Tasks by result."), (tasks.Info.Kind, tasks.Info.Unit, tasks.Info.Description));
        Assert.Equal(["result=dead", "result=done"], tasks.Series.Select(series => series.Dimensions));
        Assert.Equal([2, 5], tasks.Series[1].Points.Select(point => point.Total));
        Assert.True(tasks.Series[1].Points[1].Value > 0);
        Assert.Equal(7, Find("mesh.queue").Series.Single().Points[^1].Value);
        var time = Find("mesh.time").Series.Single().Points;
        Assert.Equal(2, time[0].P50);
        Assert.InRange(time[0].P99, 2, 4);
        Assert.True(double.IsNaN(time[1].P50));
    }

    [Fact]
    public async Task Body_ThatIsNoProtobuf_IsRefusedAndNothingElseSuffers()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.OtlpHttp);
        client.DefaultRequestHeaders.Add(Gate.KeyHeader, DashboardUnderTest.Key);
        async Task<HttpStatusCode> PostAsync(byte[] body, string type)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new(type);
            using var response = await client.PostAsync("/v1/traces", content, TestContext.Current.CancellationToken);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync([0xff, 0xff, 0xff], "application/x-protobuf"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await PostAsync([], "application/json"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync([], "application/x-protobuf"));
    }

    [LoggerMessage(1, LogLevel.Error, "Worker {Worker} is lost")]
    private static partial void LogLost(ILogger logger, string worker);

    [LoggerMessage(2, LogLevel.Debug, "Nothing")]
    private static partial void LogNothing(ILogger logger);
}
