using System.Globalization;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Bench;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("load --workers abc", "--workers")]
    [InlineData("load --workers -1", "--workers")]
    [InlineData("load --workers 2.5", "--workers")]
    [InlineData("load --workers 1 --workers 2", "--workers")]
    [InlineData("load --workers", "--workers")]
    [InlineData("load --tasks 99999999999", "--tasks")]
    [InlineData("load --tasks 2147483647", "--tasks")]
    [InlineData("load --batch 0", "--batch")]
    [InlineData("load --submitters 0", "--submitters")]
    [InlineData("load --timeout 0", "--timeout")]
    [InlineData("load --transport udp", "--transport")]
    [InlineData("load --pid 2147483647", "--pid")]
    [InlineData("load --max-refusal 0", "--max-refusal")]
    [InlineData("load --max-growth -1", "--max-growth")]
    [InlineData("load --url nowhere", "--url")]
    [InlineData("load --token \u00e4", "--token")]
    [InlineData("load --frob", "--frob")]
    [InlineData("idle --workers 0", "--workers")]
    [InlineData("idle --workers -1", "--workers")]
    [InlineData("idle --seconds -5", "--seconds")]
    [InlineData("idle --pid 0", "--pid")]
    [InlineData("idle --pid 2147483647", "--pid")]
    [InlineData("idle --url ftp://127.0.0.1", "--url")]
    [InlineData("fuzz --count 0", "--count")]
    [InlineData("fuzz --count -5", "--count")]
    [InlineData("fuzz --seed 9223372036854775807 --count 5", "--seed")]
    [InlineData("codec --rounds 0", "--rounds")]
    [InlineData("simulate --lives 0", "--lives")]
    [InlineData("simulate --lives -5", "--lives")]
    [InlineData("simulate --seed x", "--seed")]
    [InlineData("simulate --seed 9223372036854775807 --lives 5", "--seed")]
    [InlineData("simulate --mutation Nothing", "--mutation")]
    [InlineData("simulate --mutation 999", "--mutation")]
    [InlineData("simulate --servers 1", "--servers")]
    [InlineData("simulate --servers 10 --lives 5", "--lives")]
    [InlineData("simulate --servers 10 --peers 0", "--peers")]
    [InlineData("chaos --minutes abc", "--minutes")]
    [InlineData("chaos --minutes 0", "--minutes")]
    [InlineData("chaos --minutes 0,5", "--minutes")]
    [InlineData("chaos --minutes NaN", "--minutes")]
    [InlineData("chaos --servers 17", "--servers")]
    [InlineData("chaos --rate 1e99", "--rate")]
    [InlineData("chaos --seed x", "--seed")]
    public async Task Command_InvalidValue_PrintsOneLineNamingTheOption(string line, string option)
    {
        var run = await BenchResult.RunAsync(line.Split(' '), TestContext.Current.CancellationToken);

        run.FailedWith(option);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("idle")]
    public async Task Command_ServerUnreachable_PrintsOneLineNamingTheAddress(string command)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{RedisProcess.FreePort()}");

        var run = await BenchResult.RunAsync([command, "--url", $"http://{address}"], TestContext.Current.CancellationToken);

        run.FailedWith(address);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("idle")]
    [InlineData("simulate")]
    public async Task Command_Cancelled_PrintsStopped(string command)
    {
        var run = await BenchResult.RunAsync([command], new CancellationToken(canceled: true));

        run.FailedWith("Stopped.");
    }

    [Theory]
    [InlineData("load")]
    [InlineData("idle")]
    [InlineData("fuzz")]
    [InlineData("simulate")]
    [InlineData("chaos")]
    public async Task Help_EachCommand_PrintsEachDefaultOnce(string command)
    {
        var run = await BenchResult.RunAsync([command, "--help"], TestContext.Current.CancellationToken);

        Assert.Equal(0, run.Code);
        Assert.Contains("--", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line =>
        {
            Assert.InRange(line.Length, 0, 160);
            Assert.False(line.Contains("Default:", StringComparison.Ordinal) && line.Contains("[default:", StringComparison.Ordinal), line);
        });
    }

    [Fact]
    public async Task Bench_NoCommand_ListsCommands()
    {
        var run = await BenchResult.RunAsync([], TestContext.Current.CancellationToken);

        Assert.Equal(1, run.Code);
        Assert.All(["load", "idle", "fuzz", "simulate", "chaos"], command => Assert.Contains($"  {command} ", run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ChaosLogs_OfAnEarlierRun_AreRefusedAndKept()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "chaos needs POSIX signals");
        var directory = Directory.CreateTempSubdirectory("mesh-logs-");
        try
        {
            var kept = Path.Combine(directory.FullName, "server-0.log");
            await File.WriteAllTextAsync(kept, "an earlier run", TestContext.Current.CancellationToken);

            var run = await BenchResult.RunAsync(["chaos", "--logs", directory.FullName], TestContext.Current.CancellationToken);

            run.FailedWith($"--logs {directory.FullName} is not empty");
            Assert.Equal([kept], Directory.GetFiles(directory.FullName));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("/dev/null/x")]
    [InlineData("/dev/null")]
    [InlineData("")]
    public async Task ChaosLogs_NotADirectory_AreRefused(string logs)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "chaos needs POSIX signals");

        var run = await BenchResult.RunAsync(["chaos", "--logs", logs], TestContext.Current.CancellationToken);

        run.FailedWith($"--logs {(logs == "" ? "must name" : logs)}");
    }
}
