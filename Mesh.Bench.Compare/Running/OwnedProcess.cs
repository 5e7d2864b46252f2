using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Running;

/// <summary>A process that this one has started. Disposing kills it.</summary>
internal sealed class OwnedProcess : IAsyncDisposable
{
    private const int KeptErrorLines = 10;

    private readonly string _name;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();

    private OwnedProcess(string name, Process process)
    {
        (_name, _process) = (name, process);
        _process.ErrorDataReceived += (_, line) => KeepError(line.Data);
        _process.BeginErrorReadLine();
    }

    public ProcessorTime ProcessorTime => _process.HasExited ? throw CreateEndedException() : Compare.ProcessorTime.Of(_process);

    /// <exception cref="BenchException">The program cannot be started.</exception>
    public static OwnedProcess Start(string name, ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            return new(name, Process.Start(start)!);
        }
        catch (Win32Exception exception)
        {
            throw new BenchException($"{name} cannot be started: {exception.Message}", exception);
        }
    }

    /// <summary>Reads and drops the standard output, which would block the process when nobody reads it. Called for a process whose lines are not read.</summary>
    public OwnedProcess DropOutput()
    {
        _process.BeginOutputReadLine();
        return this;
    }

    /// <summary>Returns the next line of the standard output.</summary>
    /// <exception cref="BenchException">The process has ended.</exception>
    public async Task<string> ReadLineAsync(CancellationToken cancellationToken) =>
        await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line ? line : throw await WaitForEndAsync(cancellationToken);

    public async Task WriteLineAsync(string line, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Waits until the process serves.</summary>
    /// <param name="isReady">Called until it returns true.</param>
    /// <exception cref="BenchException">The process has ended.</exception>
    public async Task WaitUntilReadyAsync(Func<CancellationToken, Task<bool>> isReady, CancellationToken cancellationToken)
    {
        while (!await isReady(cancellationToken))
        {
            if (_process.HasExited)
            {
                throw await WaitForEndAsync(cancellationToken);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    // Standard error is complete only after the end of the process.
    private async Task<BenchException> WaitForEndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return CreateEndedException();
    }

    private BenchException CreateEndedException() => new($"{_name} has ended by itself. {string.Join(' ', _errors)}".TrimEnd());

    private void KeepError(string? line)
    {
        if (line is not null)
        {
            _errors.Enqueue(line.Trim());
            while (_errors.Count > KeptErrorLines)
            {
                _errors.TryDequeue(out _);
            }
        }
    }
}
