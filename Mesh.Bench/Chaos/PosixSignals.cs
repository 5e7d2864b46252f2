using System.Runtime.InteropServices;

namespace Mesh.Bench.Chaos;

/// <summary>Sends signals to other processes, for which .NET has no API.</summary>
internal static partial class PosixSignals
{
    public const int Terminate = 15;

    public static int Stop { get; } = OperatingSystem.IsLinux() ? 19 : 17;

    public static int Continue { get; } = OperatingSystem.IsLinux() ? 18 : 19;

    public static void Send(int pid, int signal) => _ = Kill(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
