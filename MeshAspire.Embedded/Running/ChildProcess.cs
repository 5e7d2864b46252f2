using System.ComponentModel;
using System.Diagnostics;
using Aspire.Hosting;

namespace MeshAspire.Embedded.Running;

/// <summary>What to start.</summary>
internal sealed record ProcessSpec(
    string FileName, IReadOnlyList<string> Arguments, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);

/// <summary>A process of a resource, its output read line by line.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Lines kept to tell why a process ended.</summary>
    private const int LinesKept = 8;

    /// <summary>How long after the end of a process its last lines may take to be read.</summary>
    private static readonly TimeSpan OutputLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Starts a program in a session of its own: a Ctrl-C of the terminal then reaches the AppHost alone, which ends the processes in order.
    /// It replaces itself by the program, under the same id. Absent on macOS: there Ctrl-C ends all at once.
    /// </summary>
    private static readonly string? OwnSession = OperatingSystem.IsWindows() ? null : DotNet.OnPath("setsid");

    // The AppHost's own matters, which no child should take for its.
    private static readonly string[] NotInherited = ["ASPNETCORE_URLS", "HTTP_PORTS", "HTTPS_PORTS", "DOTNET_LAUNCH_PROFILE"];

    private readonly Process _process;
    private readonly Task _output;
    private readonly Queue<string> _lastLines = new();

    private ChildProcess(Process process, Action<string> line, Action<string> outputLine)
    {
        _process = process;
        Id = process.Id;
        _output = Task.WhenAll(ReadAsync(process.StandardOutput, outputLine), ReadAsync(process.StandardError, line));
    }

    public int Id { get; }

    /// <summary>What the process reads.</summary>
    public TextWriter Input => _process.StandardInput;

    public int ExitCode => _process.ExitCode;

    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_lastLines)
            {
                return [.. _lastLines];
            }
        }
    }

    /// <param name="spec">What to start.</param>
    /// <param name="line">Takes each line of its output.</param>
    /// <param name="outputLine">Takes those of standard output instead, where they are no text for people.</param>
    public static ChildProcess Start(ProcessSpec spec, Action<string> line, Action<string>? outputLine = null)
    {
        var start = new ProcessStartInfo
        {
            FileName = OwnSession ?? spec.FileName,
            WorkingDirectory = spec.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] arguments = OwnSession is null ? [.. spec.Arguments] : [spec.FileName, .. spec.Arguments];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in NotInherited)
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in spec.Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return new ChildProcess(Process.Start(start)!, line, outputLine ?? line);
        }
        catch (Win32Exception exception)
        {
            throw new DistributedApplicationException($"{spec.FileName} can't be started: {exception.Message}", exception);
        }
    }

    /// <summary>Waits for the end, and for all that was written until then.</summary>
    public async Task WaitAsync(TimeProvider time)
    {
        await _process.WaitForExitAsync();
        // A grandchild may hold the pipes open: what matters is said by then.
        await Task.WhenAny(_output, Task.Delay(OutputLimit, time, CancellationToken.None));
    }

    /// <summary>Asks the process to end; on Windows, which has no such signal for it, ends it.</summary>
    public void Terminate()
    {
        if (OperatingSystem.IsWindows())
        {
            Kill();
        }
        else if (!_process.HasExited)
        {
            // Only the process itself: it ends what it has started as it sees fit.
            Native.Signal(Id, Native.Terminate);
        }
    }

    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It reads no more.
        }
    }

    public void Kill()
    {
        if (_process.HasExited)
        {
            // Its id may be another's by now.
        }
        else if (OperatingSystem.IsWindows())
        {
            _process.Kill(entireProcessTree: true);
        }
        else
        {
            Native.SignalGroup(Id, Native.Kill);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, Action<string> line)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } text)
            {
                lock (_lastLines)
                {
                    _lastLines.Enqueue(text);
                    if (_lastLines.Count > LinesKept)
                    {
                        _lastLines.Dequeue();
                    }
                }

                line(text);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The pipe went with the process.
        }
    }
}
