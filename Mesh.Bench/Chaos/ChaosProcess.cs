using System.ComponentModel;
using System.Diagnostics;

namespace Mesh.Bench.Chaos;

/// <summary>Supervises one process of the mesh: restarts it, stops it on demand and writes its output to a file.</summary>
internal sealed class ChaosProcess : IAsyncDisposable
{
    /// <summary>A process that still runs this long after a stop request is killed.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);

    private readonly ProcessStartInfo _start;
    private readonly StreamWriter _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private Process? _process;
    private TimeSpan? _down;
    private long _asked;
    private Task _supervision = Task.CompletedTask;

    public ChaosProcess(string name, ProcessStartInfo start, string directory, TimeProvider time)
    {
        (Name, _start, _time) = (name, start, time);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _log = new StreamWriter(Path.Combine(directory, name + ".log"), append: true) { AutoFlush = true };
    }

    public string Name { get; }

    /// <summary>The number of times that the process ended without a request.</summary>
    public int UnexpectedExits { get; private set; }

    /// <summary>The number of times that the process was killed because it did not stop in time.</summary>
    public int ForcedKills { get; private set; }

    public bool IsUp
    {
        get
        {
            lock (_lock)
            {
                return _process is { HasExited: false };
            }
        }
    }

    public void Start() => _supervision = SuperviseAsync();

    /// <summary>Kills the process (SIGKILL). It is restarted after this time.</summary>
    public void Kill(TimeSpan down) => EndProcess(down, process => process.Kill());

    /// <summary>Requests a stop (SIGTERM). The process is restarted this long after its end.</summary>
    public void Terminate(TimeSpan down) => EndProcess(down, process => PosixSignals.Send(process.Id, PosixSignals.Terminate));

    /// <summary>Suspends the process (SIGSTOP). Its connections stay open.</summary>
    public void Freeze() => Signal(PosixSignals.Stop);

    public void Unfreeze() => Signal(PosixSignals.Continue);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        EndProcess(TimeSpan.Zero, process => process.Kill());
        await _supervision;
        await _log.DisposeAsync();
        _end.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            await RunOnceAsync();
            TimeSpan down;
            lock (_lock)
            {
                _process = null;
                UnexpectedExits += _down is null ? 1 : 0;
                down = _down ?? RestartDelay;
                _down = null;
            }

            await Task.Delay(down, _time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunOnceAsync()
    {
        try
        {
            using var process = Launch();
            await WaitAsync(process);
        }
        catch (Win32Exception exception)
        {
            // The machine may lack memory or process ids for a while. The start is retried as after an unexpected exit.
            Write($"The process cannot be started: {exception.Message}");
        }
    }

    private async Task WaitAsync(Process process)
    {
        var ended = process.WaitForExitAsync(CancellationToken.None);
        while (!ended.IsCompleted)
        {
            using var limit = new CancellationTokenSource(StopLimit, _time);
            await ended.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
            {
                if (!ended.IsCompleted && _down is not null && _time.GetElapsedTime(_asked) >= StopLimit)
                {
                    ForcedKills++;
                    process.Kill();
                }
            }
        }

        await ended;
    }

    private Process Launch()
    {
        lock (_lock)
        {
            var process = Process.Start(_start) ?? throw new InvalidOperationException($"{_start.FileName} did not start.");
            process.OutputDataReceived += (_, line) => Write(line.Data);
            process.ErrorDataReceived += (_, line) => Write(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _process = process;
            if (_end.IsCancellationRequested)
            {
                process.Kill();
            }

            return process;
        }
    }

    private void EndProcess(TimeSpan down, Action<Process> end)
    {
        lock (_lock)
        {
            if (_process is { HasExited: false } process)
            {
                (_down, _asked) = (down, _time.GetTimestamp());
                end(process);
            }
        }
    }

    private void Signal(int signal)
    {
        lock (_lock)
        {
            if (_process is { HasExited: false } process)
            {
                PosixSignals.Send(process.Id, signal);
            }
        }
    }

    private void Write(string? line)
    {
        lock (_log)
        {
            if (line is not null)
            {
                _log.WriteLine(line);
            }
        }
    }
}
