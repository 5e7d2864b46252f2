using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

public sealed class CompareReportTests
{
    [Fact]
    public void RatiosTo_RoundsOfDifferentSpeed_AreOfOneRoundEach()
    {
        var report = new CompareReport("mesh");
        report.Add(0, Measure("mesh", 1_000));
        report.Add(0, Measure("other", 500));
        report.Add(1, Measure("other", 200));
        report.Add(1, Measure("mesh", 300));

        // The ratio of the medians would be 1.86.
        Assert.Equal([2, 1.5], report.RatiosTo("other").Select(ratio => Math.Round(ratio, 6)));
        Assert.Contains("1.75 (1.50 to 2.00)", report.Summarize(), StringComparison.Ordinal);
    }

    [Fact]
    public void RatiosTo_RoundWithoutTheOther_IsLeftOut()
    {
        var report = new CompareReport("mesh");
        report.Add(0, Measure("mesh", 1_000));
        report.Add(0, Measure("other", 500));
        report.Add(1, Measure("mesh", 300));

        Assert.Equal([2], report.RatiosTo("other"));
    }

    [Fact]
    public void DescribeRound_Measurements_AreInTheirOrder()
    {
        var report = new CompareReport("mesh");
        report.Add(0, Measure("other", 500));
        report.Add(0, Measure("mesh", 1_000));

        Assert.Equal("Round 1: other 500, mesh 1,000 tasks/s", report.DescribeRound(0));
    }

    [Fact]
    public void Summarize_ProcessorTimes_AreMicrosecondsOfEachTask()
    {
        var report = new CompareReport("mesh");
        report.Add(0, Measure("mesh", 1_000) with { Generator = Time(20, 10), Server = Time(40, 0), Store = Time(5, 5) });
        report.Add(0, Measure("other", 500) with { Generator = Time(100, 60) });

        var lines = report.Summarize().Split('\n', StringSplitOptions.TrimEntries);

        // 1,000 tasks in one second, and in two.
        Assert.Equal(["mesh", "20.0", "+", "10.0", "40.0", "+", "0.0", "5.0", "+", "5.0", "80.0", "0.08"], Words(lines[^2]));
        Assert.Equal(["other", "100.0", "+", "60.0", "-", "-", "160.0", "0.08"], Words(lines[^1]));
    }

    [Fact]
    public void ProcessorTime_Difference_IsOfBothParts() =>
        Assert.Equal(Time(3, 1), Time(5, 2) - Time(2, 1));

    private static SystemMeasurement Measure(string system, double rate) => new(system, 1_000, TimeSpan.FromSeconds(1_000 / rate), default, null, null);

    private static ProcessorTime Time(int user, int kernel) => new(TimeSpan.FromMilliseconds(user), TimeSpan.FromMilliseconds(kernel));

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
