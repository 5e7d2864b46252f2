using MeshAspire.Embedded.Dashboard.Live;
using MeshAspire.Embedded.Dashboard.Telemetry;

namespace Mesh.Tests.Dashboard;

public sealed class LiveTests
{
    [Theory]
    [InlineData("workers-a", "workers-a-2-1a2b3c", "workers-a-2")]
    [InlineData("server-a", "server-a-1a2b3c", "server-a")]
    [InlineData("server-a", "5f0c9d0e-8a5c-4a4e-9d0e-000000000000", "server-a")]
    [InlineData("server-a", "server-a-canary", "server-a")]
    [InlineData("server-a", "", "server-a")]
    public void SourceName_OfAnInstance_IsTheReplicas(string service, string instance, string name) =>
        Assert.Equal(name, SourceTable.NameOf(service, instance));

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(999, "999 ns")]
    [InlineData(1_500, "1.5 µs")]
    [InlineData(12_340_000, "12.3 ms")]
    [InlineData(1_840_000_000, "1.84 s")]
    [InlineData(61_000_000_000, "1 min 1 s")]
    [InlineData(7_260_000_000_000, "2 h 1 min")]
    public void Duration_OfAnyLength_HasThreeDigits(long nanoseconds, string text) => Assert.Equal(text, Texts.Duration(nanoseconds));

    [Theory]
    [InlineData(0.0015, "s", "1.5 ms")]
    [InlineData(1536, "By", "1.5 KiB")]
    [InlineData(12, "{task}", "12")]
    [InlineData(3, "1/s", "3/s")]
    [InlineData(double.NaN, "s", "–")]
    public void Value_WithUnit_IsWrittenInIt(double value, string unit, string text) => Assert.Equal(text, Units.Write(value, unit));

    [Fact]
    public void Percentile_OfBuckets_LiesWithinItsBucket()
    {
        Assert.Equal(5, Percentiles.Of(0.5, [10, 0, 0], [10, 20]));
        Assert.Equal(19, Percentiles.Of(0.95, [10, 10, 0], [10, 20]), 3);
        Assert.Equal(20, Percentiles.Of(0.99, [1, 0, 99], [10, 20]));
        Assert.True(double.IsNaN(Percentiles.Of(0.5, [0, 0, 0], [10, 20])));
    }

    [Fact]
    public void AnsiText_OfColours_IsRunsWithClasses() => Assert.Equal(
        [("plain ", null), ("red", "ansi-1"), (" end", null)], Ansi.Runs("plain \e[1;31mred\e[0m end\e[K"));

    [Fact]
    public void Chart_OfAnyValues_StaysInItsField()
    {
        var chart = new Chart([new ChartLine("a", 0, [(0, 3), (1_000_000_000, double.NaN), (2_000_000_000, 17)])], 0, 2_000_000_000, "");
        Assert.Equal((0, 20, 5), (chart.Bottom, chart.Top, chart.Step));
        Assert.Equal("M0 850L0 850L1000 150", chart.Path(new ChartLine("a", 0, [(0, 3), (1_000_000_000, double.NaN), (2_000_000_000, 17)])));
    }
}
