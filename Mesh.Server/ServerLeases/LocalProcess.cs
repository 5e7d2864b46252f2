using System.Globalization;

namespace Mesh.Server.ServerLeases;

/// <summary>Identifies the processes of a machine.</summary>
internal interface IProcessTable
{
    /// <summary>This process, or null where processes cannot be identified.</summary>
    ProcessIdentity? Own { get; }

    /// <summary>Returns true when the process ran on this machine and has ended. Returns false when it runs or its state is not known.</summary>
    bool HasExited(ProcessIdentity process);
}

/// <summary>
/// Finds out on Linux whether another process of this machine still runs. After a kill, a new process of the same server then does not wait until its lease expires.
/// On other systems the state is not known, and the new process waits.
/// </summary>
internal sealed class LocalProcess : IProcessTable
{
    // proc(5): the fields of /proc/pid/stat after the name in parentheses, counted from 0.
    private const int StateField = 0;
    private const int StartTimeField = 19;

    public ProcessIdentity? Own { get; } = FindOwn();

    public bool HasExited(ProcessIdentity process) => process.Place == Own?.Place && FindStart(process.Id) != process.Started;

    private static ProcessIdentity? FindOwn()
    {
        try
        {
            // A process id is only unique during one boot of a machine and in one process namespace.
            var place = $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()} {new FileInfo("/proc/self/ns/pid").LinkTarget}";
            return FindStart(Environment.ProcessId) is { } started ? new ProcessIdentity(place, Environment.ProcessId, started) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Returns the start time of a process in the kernel's clock ticks. Returns null when the process does not exist or is a zombie.</summary>
    private static string? FindStart(int process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[StateField] is "Z" or "X" ? null : fields[StartTimeField];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
