using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Dashboard.Feed;
using MeshAspire.Embedded.Dashboard.Otlp;
using MeshAspire.Embedded.Dashboard.Telemetry;
using OpenTelemetry.Proto.Collector.Logs.V1;
using OpenTelemetry.Proto.Common.V1;

namespace Mesh.Tests.Dashboard;

public sealed class LimitTests
{
    private static readonly Source Server = new("server-a", "", "server-a", 0, []);

    [Fact]
    public void Traces_BeyondTheirNumber_GoOldestFirst()
    {
        var store = new TraceStore(new TelemetryLimits { Traces = 3 }, span => span);
        store.Add([.. Enumerable.Range(1, 5).Select(number => Span(number, 1))]);
        Assert.Equal(["5", "4", "3"], store.Query(new TraceFilter(), 10).Traces.Select(trace => trace.Name));
        Assert.Null(store.Find(new TraceId(0, 2)));
        Assert.Equal((3, 5L), (store.SpanCount, store.Received));
    }

    [Fact]
    public void Traces_BeyondTheSpans_GoWholeAndOldestFirst()
    {
        var store = new TraceStore(new TelemetryLimits { Spans = 10 }, span => span);
        store.Add([.. Enumerable.Range(1, 3).SelectMany(trace => Enumerable.Range(1, 4).Select(span => Span(trace, span)))]);
        Assert.Equal((2, 8), (store.Count, store.SpanCount));
        Assert.Null(store.Find(new TraceId(0, 1)));
    }

    [Fact]
    public void Traces_BeyondTheirBytes_GoOldestFirst()
    {
        var store = new TraceStore(new TelemetryLimits { SpanBytes = 100_000 }, span => span);
        store.Add([.. Enumerable.Range(1, 100).Select(number => Span(number, 1) with { Wire = new byte[8_000] })]);
        Assert.InRange(store.Bytes, 50_000, 100_000);
        Assert.NotNull(store.Find(new TraceId(0, 100)));
        Assert.Null(store.Find(new TraceId(0, 1)));
    }

    [Fact]
    public void Link_IsKnownAtBothEndsUntilItsSpanGoes()
    {
        var store = new TraceStore(new TelemetryLimits { Traces = 2 }, span => span);
        store.Add([Span(1, 1) with { Links = [new(new TraceId(0, 2), new SpanId(1), [])] }, Span(2, 1)]);
        Assert.Equal("1", Assert.Single(store.Find(new TraceId(0, 2))!.LinkedFrom).Name);
        Assert.Empty(store.Find(new TraceId(0, 1))!.LinkedFrom);

        store.Add([Span(3, 1)]);
        Assert.Empty(store.Find(new TraceId(0, 2))!.LinkedFrom);
    }

    [Fact]
    public void Trace_WithTooManySpans_TellsHowManyWereLeft()
    {
        var store = new TraceStore(new TelemetryLimits { SpansPerTrace = 4 }, span => span);
        store.Add([.. Enumerable.Range(1, 10).Select(span => Span(1, span))]);
        Assert.Equal((4, 6), (store.Find(new TraceId(0, 1))!.Spans.Count, store.Find(new TraceId(0, 1))!.Left));
    }

    [Fact]
    public void Span_SentTwice_IsKeptOnce()
    {
        var store = new TraceStore(new TelemetryLimits(), span => span);
        store.Add([Span(1, 1), Span(1, 1)]);
        Assert.Equal(1, store.SpanCount);
    }

    [Fact]
    public void Logs_BeyondNumberOrBytes_GoOldestFirst()
    {
        var store = new LogStore(new TelemetryLimits { Logs = 3 });
        store.Add([.. Enumerable.Range(1, 5).Select(number => Log(number, "text"))]);
        Assert.Equal([5L, 4, 3], store.Query(new LogFilter(), 10).Select(entry => entry.Time));
        Assert.Equal(3, store.Errors()["server-a"]);

        var bytes = new LogStore(new TelemetryLimits { LogBytes = 50_000 });
        bytes.Add([.. Enumerable.Range(1, 100).Select(number => Log(number, new string('x', 4_000)))]);
        Assert.InRange(bytes.Bytes, 20_000, 50_000);
        Assert.Equal(100, bytes.Query(new LogFilter(), 1).Single().Time);
    }

    [Fact]
    public void Series_BeyondTheLimits_GoByLastUse()
    {
        var store = new MetricStore(new TelemetryLimits { Series = 3, SeriesPerInstrument = 2, PointsPerSeries = 5 });
        InstrumentInfo Info(string name) => new(new InstrumentKey(Server, "Mesh", name), "", "", InstrumentKind.Value);
        for (var time = 1; time <= 20; time++)
        {
            store.Add(Info("kept"), [new Reading("a", 0, time, time, true), new Reading("b", 0, time, time, true), new Reading("c", 0, time, time, true)]);
        }

        var kept = store.Find("server-a", "Mesh", "kept")!;
        Assert.Equal(["a", "b"], kept.Series.Select(series => series.Dimensions));
        Assert.True(kept.Left);
        Assert.Equal([16L, 17, 18, 19, 20], kept.Series[0].Points.Select(point => point.Time));

        store.Add(Info("new"), [new Reading("", 0, 21, 1, true)]);
        store.Add(Info("kept"), [new Reading("a", 0, 22, 1, true)]);
        store.Add(Info("newer"), [new Reading("", 0, 23, 1, true)]);
        Assert.Equal(["a"], store.Find("server-a", "Mesh", "kept")!.Series.Select(series => series.Dimensions));
        Assert.Equal(3, store.SeriesCount);
    }

    [Fact]
    public void Texts_TooLongOrTooMany_AreCut()
    {
        var store = new TelemetryStore(new TelemetryLimits { TextLength = 10, Items = 2 });
        var record = new OpenTelemetry.Proto.Logs.V1.LogRecord { Body = new AnyValue { StringValue = new string('x', 100) } };
        record.Attributes.AddRange(Enumerable.Range(1, 5).Select(number => new KeyValue { Key = $"k{number}", Value = new AnyValue { IntValue = number } }));
        var request = new ExportLogsServiceRequest { ResourceLogs = { new OpenTelemetry.Proto.Logs.V1.ResourceLogs { ScopeLogs = { new OpenTelemetry.Proto.Logs.V1.ScopeLogs { LogRecords = { record } } } } } };
        new OtlpIngest(store).Add(request);
        var entry = store.Logs.Query(new LogFilter(), 1).Single();
        Assert.Equal("xxxxxxxxxx…", entry.Message);
        Assert.Equal([new Tag("k1", "1"), new Tag("k2", "2")], entry.Attributes);
    }

    [Fact]
    public void Senders_BeyondTheirNumber_GoOldestFirst()
    {
        var table = new SourceTable(new TelemetryLimits { Sources = 2 });
        foreach (var name in new[] { "a", "b", "c" })
        {
            table.Get(name, "", []);
        }

        Assert.Equal(["b", "c"], table.Names);
    }

    [Fact]
    public void Consoles_BeyondTheirLimits_LoseTheOldestLines()
    {
        var store = new ConsoleStore(new TelemetryLimits { ConsoleLines = 3, ConsoleCharacters = 20, TextLength = 8 });
        foreach (var number in Enumerable.Range(1, 5))
        {
            store.Add(new FeedLine("a", default, $"line {number}", false));
        }

        Assert.Equal(["line 3", "line 4", "line 5"], store.Newest("a", 10).Select(entry => entry.Line.Text));
        store.Add(new FeedLine("b", default, "a very long line", false));
        Assert.Equal("a very l…", store.Newest("b", 10).Single().Line.Text);
        Assert.Equal(["line 5"], store.Newest("a", 10).Select(entry => entry.Line.Text));
    }

    private static Span Span(int trace, int span) => new()
    {
        TraceId = new TraceId(0, (ulong)trace),
        Id = new SpanId((ulong)span),
        Parent = span == 1 ? default : new SpanId(1),
        Name = $"{trace}",
        Kind = SpanKind.Internal,
        Source = Server,
        Scope = "Mesh",
        Start = trace,
        End = trace + 1,
        Outcome = SpanOutcome.Unset,
        Reason = "",
    };

    private static LogEntry Log(int number, string message) => new()
    {
        Time = number,
        Severity = LogSeverity.Error,
        Message = message,
        Category = "Mesh",
        Source = Server,
        TraceId = default,
        SpanId = default,
        Attributes = [],
    };
}
