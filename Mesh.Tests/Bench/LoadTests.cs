using System.Globalization;
using Mesh.Bench.Load;
using Mesh.Tests.Server;

namespace Mesh.Tests.Bench;

public sealed class LoadTests
{
    private static readonly Percentiles Fast = new(1, 2, 3, 4, 5);
    private static readonly LoadReport Report = new("http://127.0.0.1:9001/", "package", "websocket", 1, 1, 1, 1, 1, 1, 1, 1, 1, Fast, 7, Fast with { Max = 5000 }, Fast, Fast, 150);

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(5000, 150, null)]
    [InlineData(4999, null, "--max-refusal 4999")]
    [InlineData(null, 149, "--max-growth 149")]
    public void FindExcess_ValueAboveLimit_IsReported(int? refusal, int? growth, string? told)
    {
        var excess = Report.FindExcess(new LoadLimits(refusal, growth));

        Assert.Equal(told is not null, excess is not null);
        Assert.Contains(told ?? "", excess ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void FindExcess_NotMeasured_IsNull() =>
        Assert.Null((Report with { Refused = 0, Refuse = new(0, 0, 0, 0, 0), GrowthMiB = null }).FindExcess(new LoadLimits(1, 0)));

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Load_AboveTheServersCapacity_IsRefusedThenCompleted()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:Capacity", "40"));

        var run = await BenchResult.RunAsync(
            [
                "load", "--url", server.Address.ToString(), "--workers", "1", "--tasks", "200", "--batch", "20", "--submitters", "10",
                "--pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "--max-refusal", "60000", "--max-growth", "1000000",
            ],
            TestContext.Current.CancellationToken);

        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(200, (await server.GetJsonAsync("/status")).GetProperty("done").GetInt32());
    }
}
