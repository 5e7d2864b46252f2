using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

public sealed class CompareCommandTests
{
    private ComparePlan? _plan;

    [Fact]
    public async Task Compare_NoArguments_HasTheDefaults()
    {
        var run = await RunAsync("compare");

        Assert.Equal(0, run.Code);
        Assert.Equal(["mesh", "bullmq", "nats"], _plan!.Systems);
        Assert.Equal((16, 4, 64), (_plan.Connections, _plan.Slots, _plan.Concurrency));
        Assert.Equal((50_000, 100_000, 500, 4), (_plan.Tasks, _plan.Warmup, _plan.Batch, _plan.Submitters));
        Assert.Equal((5, Fsync.EverySecond), (_plan.Rounds, _plan.Fsync));
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(5)), (_plan.WarmupLimit, _plan.Limit));
        Assert.Equal(Path.GetFullPath(Path.GetTempPath()), _plan.Directory);
    }

    [Fact]
    public async Task Compare_AllArguments_AreInThePlan()
    {
        var run = await RunAsync(
            "compare", "--systems", "nats,mesh", "--connections", "64", "--slots", "1", "--tasks", "7", "--warmup", "0", "--warmup-limit", "6", "--batch", "2", "--submitters", "3",
            "--rounds", "9", "--fsync", "Always", "--timeout", "8", "--directory", AppContext.BaseDirectory);

        Assert.Equal(0, run.Code);
        Assert.Equal(["mesh", "nats"], _plan!.Systems);
        Assert.Equal(
            new ComparePlan(_plan.Systems, 64, 1, 7, 0, TimeSpan.FromSeconds(6), 2, 3, 9, Fsync.Always, TimeSpan.FromSeconds(8), Path.GetFullPath(AppContext.BaseDirectory)),
            _plan);
    }

    [Theory]
    [InlineData("--systems", "kafka")]
    [InlineData("--systems", "mesh,")]
    [InlineData("--connections", "0")]
    [InlineData("--slots", "0")]
    [InlineData("--tasks", "0")]
    [InlineData("--warmup", "-1")]
    [InlineData("--warmup-limit", "-1")]
    [InlineData("--batch", "0")]
    [InlineData("--submitters", "x")]
    [InlineData("--rounds", "0")]
    [InlineData("--fsync", "never")]
    [InlineData("--timeout", "0")]
    [InlineData("--directory", "/no/such/directory")]
    public async Task Compare_InvalidValue_PrintsOneLineNamingTheOption(string option, string value)
    {
        var run = await RunAsync("compare", option, value);

        run.FailedWith(option);
        Assert.Null(_plan);
    }

    private async Task<BenchResult> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand
        {
            CompareCommand.Create(["mesh", "bullmq", "nats"], (plan, _, _) =>
            {
                _plan = plan;
                return Task.FromResult(0);
            }),
        };
        var code = await BenchCommand.InvokeAsync(root, arguments, output, error, TestContext.Current.CancellationToken);
        return new(code, output.ToString(), error.ToString());
    }
}
