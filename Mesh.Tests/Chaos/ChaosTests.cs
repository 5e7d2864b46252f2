using System.Diagnostics;
using System.Reflection;

namespace Mesh.Tests.Chaos;

/// <summary>A short run of what docs/reliability.md describes: real processes killed, frozen and cut off under load.</summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Mesh_KilledFrozenAndCutOffUnderLoad_LosesNothingAndDoesNothingTwice()
    {
        foreach (var program in new[] { "redis-server", "python3" })
        {
            Assert.SkipUnless(IsOnPath(program) || Environment.GetEnvironmentVariable("CI") is not null, $"Needs {program} on the PATH");
        }

        var bench = typeof(ChaosTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Mesh.Bench").Value!;
        var start = new ProcessStartInfo("dotnet", [bench, "chaos", "--minutes", "0.4", "--servers", "2", "--workers", "2", "--fault-interval", "3000", "--rate", "60"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var run = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        var (result, story) = (run.StandardOutput.ReadToEndAsync(limit.Token), run.StandardError.ReadToEndAsync(limit.Token));
        try
        {
            await run.WaitForExitAsync(limit.Token);
            var told = $"{await story}{await result}";
            output.WriteLine(told);
            Assert.True(run.ExitCode == 0, told);
            Assert.Contains("Nothing lost, nothing twice", told, StringComparison.Ordinal);
        }
        finally
        {
            if (!run.HasExited)
            {
                run.Kill(entireProcessTree: true);
            }
        }
    }

    private static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));
}
