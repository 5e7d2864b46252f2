using System.ComponentModel;
using System.Diagnostics;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Idle;

/// <summary>Measures the memory and the processor time of the process of --pid.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    /// <summary>The resident memory in bytes.</summary>
    public long Memory => Read(process => process.WorkingSet64);

    public TimeSpan ProcessorTime => Read(process => process.TotalProcessorTime);

    /// <exception cref="BenchException">The process does not exist.</exception>
    public static ServerProcess Find(int id)
    {
        try
        {
            return new(Process.GetProcessById(id));
        }
        catch (ArgumentException exception)
        {
            throw new BenchException($"--pid {id}: the process does not exist on this machine.", exception);
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
            throw new BenchException($"--pid {_process.Id}: the process has ended, or its resource usage cannot be read.", exception);
        }
    }
}
