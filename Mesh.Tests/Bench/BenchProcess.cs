using System.Diagnostics;
using System.Reflection;
using System.Text;
using Mesh.Bench.Chaos;

namespace Mesh.Tests.Bench;

/// <summary>Mesh.Bench as a process of its own. Killed with all that it started when disposed.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _told = new();
    private readonly List<(string Text, TaskCompletionSource Said)> _awaited = [];

    private BenchProcess(Process process) => _process = process;

    /// <summary>All that it has written so far, on both streams.</summary>
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

    /// <summary>Waits until it has written this.</summary>
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

    /// <summary>Waits until it has ended by itself; returns its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan patience, CancellationToken cancellation)
    {
        await WaitAsync(_process.WaitForExitAsync(cancellation), "end", patience, cancellation);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end, as Ctrl+C does.</summary>
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
