using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Mesh.Bench.Chaos;

namespace Mesh.Tests.Bench;

/// <summary>Mesh.Bench as a process of its own. Disposing it kills the process and its descendants.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _told = new();
    private readonly List<(string Text, TaskCompletionSource Said)> _awaited = [];

    private BenchProcess(Process process) => _process = process;

    /// <summary>The text of both streams so far.</summary>
    public string Told
    {
        get
        {
            lock (_told)
            {
                return _told.ToString();
            }
        }
    }

    public static BenchProcess Start(params string[] arguments)
    {
        var program = typeof(BenchProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Mesh.Bench").Value!;
        var bench = new BenchProcess(Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!);
        bench._process.OutputDataReceived += (_, line) => bench.Keep(line.Data);
        bench._process.ErrorDataReceived += (_, line) => bench.Keep(line.Data);
        bench._process.BeginOutputReadLine();
        bench._process.BeginErrorReadLine();
        return bench;
    }

    /// <summary>Waits until the text of both streams contains this.</summary>
    public async Task SaidAsync(string text, TimeSpan patience, CancellationToken cancellation)
    {
        var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_told)
        {
            _awaited.Add((text, said));
        }

        Keep(null);
        await WaitAsync(said.Task, $"say \"{text}\"", patience, cancellation);
    }

    /// <summary>Waits until the process ends by itself, and returns its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan patience, CancellationToken cancellation)
    {
        await WaitAsync(_process.WaitForExitAsync(cancellation), "end", patience, cancellation);
        return _process.ExitCode;
    }

    /// <summary>The processes that it has started, and those that they have started. On Linux only; elsewhere the test is skipped.</summary>
    public IReadOnlyList<int> Descendants()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc");
        var parents = Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => name.All(char.IsAsciiDigit))
            .Select(name => int.Parse(name, CultureInfo.InvariantCulture)).Select(pid => (Pid: pid, Parent: StatOf(pid)?.Parent)).ToList();
        List<int> found = [_process.Id];
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(parents.Where(process => process.Parent == found[i]).Select(process => process.Pid));
        }

        return found[1..];
    }

    /// <summary>Whether a process exists and has not ended. One that has ended exists until its parent reads its exit code.</summary>
    public static bool IsRunning(int pid) => StatOf(pid) is { State: not 'Z' };

    /// <summary>Sends SIGTERM, on which it ends as after Ctrl+C.</summary>
    public void Terminate() => PosixSignals.Send(_process.Id, PosixSignals.Terminate);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    // proc(5): the name of the program is in parentheses and may contain any character; the state and the parent follow it.
    private static (char State, int Parent)? StatOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task WaitAsync(Task awaited, string what, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            await awaited.WaitAsync(patience, cancellation);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Waited {patience} for it to {what}. It had said:\n{Told}");
        }
    }

    private void Keep(string? line)
    {
        lock (_told)
        {
            if (line is not null)
            {
                _told.AppendLine(line);
            }

            var told = _told.ToString();
            foreach (var (_, said) in _awaited.Where(one => told.Contains(one.Text, StringComparison.Ordinal)))
            {
                said.TrySetResult();
            }
        }
    }
}
