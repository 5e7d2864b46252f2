using Mesh.Bench.CommandLine;
using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

public sealed class CompareRunTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-compare-test-");
    private readonly List<string> _calls = [];
    private readonly StringWriter _output = new();

    [Fact]
    public async Task Run_SeveralRounds_RotatesTheSystemsAndPrintsTheRatio()
    {
        await RunAsync(Plan(), [new("mesh", _calls), new("other", _calls)]);

        Assert.Equal(["mesh", "other", "other", "mesh"], _calls);
        Assert.Contains("1.00 (1.00 to 1.00)", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SystemWithAnObstacle_IsSkippedWithTheReason()
    {
        await RunAsync(Plan(), [new("mesh", _calls), new("other", _calls) { Obstacle = "install it." }]);

        Assert.Equal(["mesh", "mesh"], _calls);
        Assert.Contains("other is skipped: install it.", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SystemThatIsNotOfThePlan_IsNotMeasured()
    {
        await RunAsync(Plan() with { Systems = ["mesh"] }, [new("mesh", _calls), new("other", _calls) { Obstacle = "install it." }]);

        Assert.Equal(["mesh", "mesh"], _calls);
        Assert.DoesNotContain("other", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoSystem_Throws() =>
        await Assert.ThrowsAsync<BenchException>(() => RunAsync(Plan(), [new("mesh", _calls) { Obstacle = "install it." }]));

    [Fact]
    public async Task Run_MeasurementThatFails_LeavesNoFiles()
    {
        var failing = new FakeSystem("mesh", _calls)
        {
            Measure = async (directory, cancellation) =>
            {
                await File.WriteAllTextAsync(Path.Combine(directory, "data"), "", cancellation);
                throw new BenchException("It has ended by itself.");
            },
        };

        await Assert.ThrowsAsync<BenchException>(() => RunAsync(Plan(), [failing]));

        Assert.Empty(_directory.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task Run_MeasurementThatHangs_FailsAtTheLimit()
    {
        var hanging = new FakeSystem("mesh", _calls) { Measure = (_, cancellation) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation) };

        var fault = await Assert.ThrowsAsync<BenchException>(() => RunAsync(Plan() with { Limit = TimeSpan.FromMilliseconds(1) }, [hanging]));

        Assert.Contains("mesh: ", fault.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.EnumerateFileSystemInfos());
    }

    public void Dispose()
    {
        _output.Dispose();
        _directory.Delete(recursive: true);
    }

    private ComparePlan Plan() => new(["mesh", "other"], 16, 4, 1_000, 0, TimeSpan.Zero, 500, 4, 2, Fsync.EverySecond, TimeSpan.FromMinutes(1), _directory.FullName);

    private Task<int> RunAsync(ComparePlan plan, IReadOnlyList<FakeSystem> systems) => CompareRun.RunAsync(plan, systems, _output, TestContext.Current.CancellationToken);
}
