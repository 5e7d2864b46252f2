using System.Diagnostics.Metrics;
using System.Reflection;
using Mesh.Server.Hosting;
using Mesh.Server.Telemetry;
using Mesh.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Telemetry;

public sealed class MetricTests
{
    [Fact]
    public async Task Metrics_OfAServer_AreDescribedInTheManualAsInTheDashboard()
    {
        await using var services = new ServiceCollection().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<MeshInbox>().BuildServiceProvider();
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

    private static string Repository =>
        typeof(MetricTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Repository").Value!;
}
