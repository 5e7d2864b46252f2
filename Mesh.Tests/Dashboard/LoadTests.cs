using System.Diagnostics;
using Mesh.Tests.Fixtures;
using MeshAspire.Embedded.Dashboard.Live;
using MeshAspire.Embedded.Dashboard.Telemetry;
using OpenTelemetry.Exporter;
using TraceFilter = MeshAspire.Embedded.Dashboard.Telemetry.TraceFilter;

namespace Mesh.Tests.Dashboard;

[Collection(Alone.Name)]
public sealed class LoadTests
{
    private const int PerSecond = 5_000;
    private const int Seconds = 4;
    private const int PerTrace = 5;

    [Fact]
    public async Task FiveThousandSpansASecond_AllComeInWhilePagesRead()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync(new TelemetryLimits { Spans = 10_000 });
        using var exporter = new Exporter(dashboard, OtlpExportProtocol.Grpc);
        var store = dashboard.Store.Traces;
        var (looks, slowest) = (0, TimeSpan.Zero);

        // What the list of traces does on each beat while somebody looks at it, filter and all.
        void Look()
        {
            var began = Stopwatch.GetTimestamp();
            store.Query(new TraceFilter(Text: "no such text"), 100);
            slowest = Stopwatch.GetElapsedTime(began) is var took && took > slowest ? took : slowest;
            looks++;
        }

        var pulse = dashboard.Service<Pulse>();
        pulse.Beat += Look;
        using var second = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tick = 0; tick < 10 * Seconds; tick++)
        {
            for (var i = 0; i < PerSecond / PerTrace / 10; i++)
            {
                using var root = exporter.Source.StartActivity("request", ActivityKind.Server);
                for (var child = 1; child < PerTrace; child++)
                {
                    using var step = exporter.Source.StartActivity("step");
                    step!.SetTag("user", "maria").SetTag("step", child).SetTag("note", "a text of the usual length");
                }
            }

            await second.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        exporter.Flush();
        pulse.Beat -= Look;
        Assert.Equal(PerSecond * Seconds, store.Received);
        Assert.InRange(store.SpanCount, 10_000 - PerTrace, 10_000);
        Assert.True(looks > 0, "Nobody looked.");
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }
}
