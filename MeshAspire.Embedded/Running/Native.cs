using System.Runtime.InteropServices;

namespace MeshAspire.Embedded.Running;

/// <summary>Signals, which .NET can receive but not send.</summary>
internal static partial class Native
{
    public const int Terminate = 15;
    public const int Kill = 9;

    /// <summary>Signals the process and, where it leads a group of its own, whatever it has started.</summary>
    public static void SignalGroup(int pid, int signal)
    {
        if (SendSignal(-pid, signal) != 0)
        {
            _ = SendSignal(pid, signal);
        }
    }

    public static void Signal(int pid, int signal) => _ = SendSignal(pid, signal);

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int ParentId();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
