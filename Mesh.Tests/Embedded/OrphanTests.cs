using System.Diagnostics;
using System.Globalization;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Embedded;

/// <summary>The whole AppHost as a process of its own, and what is left of it when it has ended.</summary>
public sealed class OrphanTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("mesh-apphost-");
    private readonly Process _host;
    private readonly List<string> _lines = [];

    public OrphanTests()
    {
        var start = new ProcessStartInfo(DotNet.Path, [Path.Combine(AppContext.BaseDirectory, "MeshAspire.AppHost.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            // The data of the user's own runs is not for a test.
            Environment = { ["XDG_DATA_HOME"] = _data.FullName, ["LOCALAPPDATA"] = _data.FullName },
        };
        _host = Process.Start(start)!;
    }

    [Fact]
    public async Task AppHost_KilledWithoutWarning_LeavesNoProcess()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc");
        var started = await StartedAsync();
        Native.Signal(_host.Id, Native.Kill);
        await GoneAsync(started);
    }

    [Fact]
    public async Task AppHost_KilledAfterItsGuardian_LeavesNoProcess()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc");
        var started = await StartedAsync();
        var guardian = GuardianOf(started);
        Native.Signal(guardian, Native.Kill);
        await UntilAsync("a new guardian", () => GuardianOf(Children()) is var pid and not 0 && pid != guardian);
        Native.Signal(_host.Id, Native.Kill);
        await GoneAsync([.. started, .. Children()]);
    }

    [Fact]
    public async Task AppHost_AskedToEnd_LeavesNoProcessAndSaysSo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc");
        var started = await StartedAsync();
        Native.Signal(_host.Id, Native.Terminate);
        await GoneAsync(started);
        while (await _host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            _lines.Add(line);
        }

        await _host.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("All stopped.", _lines[^1]);
        Assert.Equal(0, _host.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_host.HasExited)
        {
            Native.Signal(_host.Id, Native.Kill);
        }

        await _host.WaitForExitAsync();
        _host.Dispose();
        _data.Delete(recursive: true);
    }

    private async Task<int[]> StartedAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        while (await _host.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            _lines.Add(line);
            if (line == "All healthy.")
            {
                var children = Children();
                // Redis, two servers, six workers, the guardian.
                Assert.True(children.Length >= 10, $"{children.Length} processes: {string.Join("; ", children.Select(CommandLine))}");
                return children;
            }
        }

        throw new InvalidOperationException("The AppHost ended:\n" + string.Join('\n', _lines));
    }

    private static Task GoneAsync(int[] processes) =>
        UntilAsync("the end of all processes", () => !processes.Any(Runs), () => string.Join("; ", processes.Where(Runs).Select(CommandLine)));

    private static async Task UntilAsync(string what, Func<bool> met, Func<string>? missing = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        try
        {
            while (!met())
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {what}. {missing?.Invoke()}");
        }
    }

    private int[] Children() => [.. Directory.EnumerateDirectories("/proc")
        .Select(directory => int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid != 0 && Stat(pid) is [_, var parent, ..] && parent == _host.Id.ToString(CultureInfo.InvariantCulture))];

    private static int GuardianOf(int[] processes) =>
        processes.FirstOrDefault(pid => CommandLine(pid).Contains("MeshAspire.Embedded.dll", StringComparison.Ordinal));

    // A zombie has ended; only nobody has asked yet how.
    private static bool Runs(int pid) => Stat(pid) is [not "Z", ..];

    /// <summary>State and parent of a process, and more: see proc_pid_stat(5).</summary>
    private static string[] Stat(int pid)
    {
        var text = Read($"/proc/{pid}/stat");
        return text.Length == 0 ? [] : text[(text.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static string CommandLine(int pid) => Read($"/proc/{pid}/cmdline").Replace('\0', ' ');

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
