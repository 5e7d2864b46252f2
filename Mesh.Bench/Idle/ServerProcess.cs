using System.ComponentModel;
using System.Diagnostics;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Idle;

/// <summary>The process of --pid, whose memory and processor time are looked at.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    /// <summary>Resident, bytes.</summary>
    public long Memory => Read(process => process.WorkingSet64);

    public TimeSpan ProcessorTime => Read(process => process.TotalProcessorTime);

    /// <exception cref="BenchException">There is no such process.</exception>
    public static ServerProcess Find(int id)
    {
        try
        {
            return new(Process.GetProcessById(id));
        }
        catch (ArgumentException exception)
        {
            throw new BenchException($"--pid {id}: there is no such process on this machine.", exception);
        }
    }

    public void Dispose() => _process.Dispose();

    private T Read<T>(Func<Process, T> look)
    {
        try
        {
            _process.Refresh();
            return look(_process);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            throw new BenchException($"--pid {_process.Id}: the process has ended, or hides what it uses.", exception);
        }
    }
}
