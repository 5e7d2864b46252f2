using System.Diagnostics.Metrics;
using System.Reflection;
using Mesh.Common;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Telemetry;

public sealed class MetricTests
{
    [Fact]
    public async Task Metrics_Descriptions_MatchTheManual()
    {
        await using var services = new ServiceCollection().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<CoreInputQueue>().BuildServiceProvider();
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == MeshTelemetry.Name && instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>())
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        ActivatorUtilities.CreateInstance<MeshMetrics>(services);
        ActivatorUtilities.CreateInstance<AccessMetrics>(services);

        var manual = await File.ReadAllLinesAsync(Path.Combine(Repository, "docs", "operations.md"), TestContext.Current.CancellationToken);
        Assert.Equal(
            instruments.Select(instrument => $"| `{instrument.Name}` | {instrument.Unit?.Trim('{', '}')} | {instrument.Description} |").Order(StringComparer.Ordinal),
            manual.Where(line => line.StartsWith("| `mesh.", StringComparison.Ordinal) && line.Split('|').Length == 6)
                .Select(line => line[..(line[..^1].LastIndexOf('|') + 1)]).Order(StringComparer.Ordinal));
        Assert.All(instruments, instrument => Assert.EndsWith(".", instrument.Description, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gauges_LoopStarting_AreOmitted()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore { IsUnavailable = true }, TimeProvider.System);

        Assert.Empty(Gauges(server));
    }

    [Fact]
    public async Task Gauges_LoopBusy_AreOmittedAfterOneRead()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore(), TimeProvider.System, ("Mesh:Timing:LoadBalancerInterval", "00:10:00"));
        var inputs = server.Services.GetRequiredService<CoreInputQueue>();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        using var gate = new ManualResetEventSlim();
        using var entered = new SemaphoreSlim(0);
        var busy = inputs.QueryAsync(_ =>
        {
            entered.Release();
            gate.Wait();
            return true;
        });
        try
        {
            await entered.WaitAsync(TestContext.Current.CancellationToken).OrFailAsync("the loop to be busy");
            Assert.Empty(Gauges(server));

            // The six gauges share one read. The loop's timer may have posted an input as well.
            Assert.InRange(inputs.Reader.Count, 1, 3);
        }
        finally
        {
            gate.Set();
        }

        await busy;
        await Eventually.HoldsAsync("the queue's depth is measured", () => Gauges(server).GetValueOrDefault("mesh.queue.depth") == 1);
    }

    /// <summary>Measures the gauges of the core.</summary>
    private static Dictionary<string, long> Gauges(TestServer server)
    {
        var told = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == server.Services.GetRequiredService<IMeterFactory>() && instrument.Meter.Name == MeshTelemetry.Name
                    && instrument.Name is "mesh.queue.depth" or "mesh.tasks.running" or "mesh.tasks.scheduled" or "mesh.tasks.adopted" or "mesh.workers" or "mesh.loans")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => told[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return told;
    }

    private static string Repository =>
        typeof(MetricTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Repository").Value!;
}
