using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Mesh.Bench.Chaos;

namespace Mesh.Tests.Bench.Chaos;

/// <summary>A short run of what docs/reliability.md describes: real processes killed, frozen and cut off under load.</summary>
[Trait("Speed", "Slow")]
public sealed partial class ChaosTests(ITestOutputHelper output)
{
    /// <summary>The longest time of a run: its faults, and --rest-limit before them, for the last submission and after it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task Mesh_FaultsUnderLoad_ProcessesEachTaskExactlyOnce()
    {
        SkipUnlessThere("redis-server", "valkey-server");
        SkipUnlessThere("python3");
        await using var run = BenchProcess.Start(
            "chaos", "--minutes", "0.4", "--servers", "2", "--workers", "2", "--fault-interval", "3000", "--rate", "60", "--rest-limit", "90");

        var code = await run.ExitAsync(Patience, TestContext.Current.CancellationToken);

        output.WriteLine(run.Told);
        Assert.True(code == 0, run.Told);
        Assert.Contains("No task was lost or applied twice", run.Told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chaos_Stopped_EndsItsProcessesAndPrintsTheLogDirectory()
    {
        SkipUnlessThere("redis-server", "valkey-server");
        var logs = Directory.CreateTempSubdirectory("mesh-chaos-test-");
        try
        {
            await using var run = BenchProcess.Start("chaos", "--servers", "1", "--workers", "1", "--line-workers", "0", "--logs", logs.FullName);
            await run.SaidAsync("All are up", Patience, TestContext.Current.CancellationToken);

            var started = run.Descendants();
            Assert.InRange(started.Count, 3, int.MaxValue);

            run.Terminate();

            Assert.Equal(1, await run.ExitAsync(Patience, TestContext.Current.CancellationToken));
            Assert.Contains($"Stopped. The logs of all processes are in {logs.FullName}", run.Told, StringComparison.Ordinal);
            var port = int.Parse(Listening().Match(await File.ReadAllTextAsync(Path.Combine(logs.FullName, "server-0.log"), TestContext.Current.CancellationToken)).Groups["port"].ValueSpan);
            Assert.DoesNotContain(started, BenchProcess.IsRunning);
            using var client = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken).AsTask());
        }
        finally
        {
            logs.Delete(recursive: true);
        }
    }

    [GeneratedRegex(@"listening on: http://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Listening();

    private static void SkipUnlessThere(params string[] programs)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "chaos needs POSIX signals");
        Assert.SkipUnless(ExecutableFinder.Find(programs) is not null || Environment.GetEnvironmentVariable("CI") is not null, $"Needs {string.Join(" or ", programs)} on the PATH");
    }
}
