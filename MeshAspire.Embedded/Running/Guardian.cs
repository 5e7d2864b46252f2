using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MeshAspire.Embedded.Running;

/// <summary>
/// A process beside the AppHost that outlives it by a moment: when its standard input ends, which even a kill -9 of the AppHost brings
/// about, it ends every process that the AppHost has started.
/// </summary>
/// <remarks>
/// Its input, line by line, and after the run's name its arguments: <c>+pid</c> started, <c>-pid</c> ended, <c>~path</c> a directory to be
/// deleted. A process that was started but not yet told of is found by the variable <see cref="RunVariable"/>, which all have inherited (on
/// Linux, which shows it; a redis-server soon overwrites its own).
/// </remarks>
internal static class Guardian
{
    /// <summary>Marks the processes of one run.</summary>
    public const string RunVariable = "MESHASPIRE_RUN";

    private static readonly PosixSignal[] Ignored = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    public static int Main(string[] args)
    {
        if (args is not [var run, .. var known])
        {
            Console.Error.WriteLine("MeshAspire.Embedded is a library; an AppHost starts this program for itself.");
            return 2;
        }

        // Only the end of the AppHost is this one's: whoever signals the whole family still needs it.
        var signals = Ignored.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true)).ToArray();
        var started = new Dictionary<int, DateTime>();
        var directories = new List<string>();
        Array.ForEach(known, Take);
        while (Console.In.ReadLine() is { } line)
        {
            Take(line);
        }

        foreach (var (pid, time) in started)
        {
            // An id is used again in time; its start tells whether it is still the same process.
            if (StartTime(pid) == time)
            {
                Kill(pid);
            }
        }

        // One that was just starting another may leave it behind: look again until there is none.
        while (Marked(run) is { Count: > 0 } left)
        {
            left.ForEach(Kill);
            Thread.Yield();
        }

        directories.ForEach(Delete);
        Array.ForEach(signals, signal => signal.Dispose());
        return 0;

        void Take(string line)
        {
            switch (line)
            {
                case ['+', .. var number] when int.TryParse(number, CultureInfo.InvariantCulture, out var pid):
                    if (StartTime(pid) is { } time)
                    {
                        started[pid] = time;
                    }

                    break;
                case ['-', .. var number] when int.TryParse(number, CultureInfo.InvariantCulture, out var pid):
                    started.Remove(pid);
                    break;
                case ['~', .. var directory]:
                    directories.Add(directory);
                    break;
                default:
                    break;
            }
        }
    }

    private static DateTime? StartTime(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.StartTime;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    private static void Kill(int pid)
    {
        if (!OperatingSystem.IsWindows())
        {
            Native.SignalGroup(pid, Native.Kill);
            return;
        }

        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It has just ended.
        }
    }

    private static List<int> Marked(string run)
    {
        var marked = new List<int>();
        if (!OperatingSystem.IsLinux())
        {
            return marked;
        }

        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId)
            {
                continue;
            }

            try
            {
                if (File.ReadAllText(Path.Combine(directory, "environ")).Split('\0').Contains($"{RunVariable}={run}"))
                {
                    marked.Add(pid);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or another user's.
            }
        }

        return marked;
    }

    private static void Delete(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It was a temporary one: the system cleans up in time.
        }
    }
}
