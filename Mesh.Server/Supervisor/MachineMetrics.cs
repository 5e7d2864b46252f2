using System.Globalization;

namespace Mesh.Server.Supervisor;

/// <summary>
/// Reads the load, processors, memory and disk of the machine: on Linux from /proc, elsewhere from the .NET runtime as far as it provides them. In a container
/// with a memory limit, the memory is the container's. The type is not thread-safe, because the processor usage is computed since the previous read.
/// </summary>
internal sealed class MachineMetrics
{
    private const double Gigabyte = 1024d * 1024 * 1024;
    private const long Megabyte = 1024 * 1024;

    private readonly int _physical = CountCores();
    private CpuTimes? _last = CpuTimes.Read();

    public SystemReport Read()
    {
        var load = ReadFirstLine("/proc/loadavg")?.Split(' ');
        return new(
            Environment.TickCount64 / 1000,
            Number(load, 0),
            Number(load, 1),
            new(Usage(), Environment.ProcessorCount, _physical),
            Memory(),
            Disk());
    }

    private double? Usage()
    {
        var before = _last;
        _last = CpuTimes.Read();
        return (before, _last) is ({ } then, { } now) ? Percent.Of(now.Busy - then.Busy, now.Total - then.Total) : null;
    }

    private static MemoryReport Memory()
    {
        var (total, available) = MemoryOfMachine();
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (total == 0 || limit < total)
        {
            // In a container, the available memory is the limit minus the memory of this process, or the machine's available memory if that is less.
            available = total == 0 ? limit - Environment.WorkingSet : Math.Min(available, limit - Environment.WorkingSet);
            total = limit;
        }

        available = Math.Clamp(available, 0, total);
        return new(total / Megabyte, available / Megabyte, Percent.Of(total - available, total), (total - available) / Megabyte);
    }

    private static (long Total, long Available) MemoryOfMachine()
    {
        var (total, available) = (0L, 0L);
        foreach (var line in ReadLines("/proc/meminfo"))
        {
            // "MemTotal:       16318436 kB"
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is [var name, var size, ..] && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes))
            {
                (total, available) = name switch
                {
                    "MemTotal:" => (kilobytes * 1024, available),
                    "MemAvailable:" => (total, kilobytes * 1024),
                    _ => (total, available),
                };
            }
        }

        return (total, available);
    }

    private static DiskReport? Disk()
    {
        try
        {
            var drive = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(AppContext.BaseDirectory)! : AppContext.BaseDirectory);
            return new(
                Math.Round(drive.TotalSize / Gigabyte, 1),
                Math.Round(drive.AvailableFreeSpace / Gigabyte, 1),
                Percent.Of(drive.TotalSize - drive.AvailableFreeSpace, drive.TotalSize));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Counts the physical cores of all sockets. Where /proc/cpuinfo does not list them, as in many virtual machines, returns the number of processors that the
    /// runtime reports.
    /// </summary>
    private static int CountCores()
    {
        var cores = new HashSet<(string Socket, string Core)>();
        var socket = "";
        foreach (var line in ReadLines("/proc/cpuinfo"))
        {
            if (line.StartsWith("physical id", StringComparison.Ordinal))
            {
                socket = line;
            }
            else if (line.StartsWith("core id", StringComparison.Ordinal))
            {
                cores.Add((socket, line));
            }
        }

        return cores.Count is > 0 and var count && count <= Environment.ProcessorCount ? count : Environment.ProcessorCount;
    }

    private static double? Number(string[]? words, int index) =>
        words?.Length > index && double.TryParse(words[index], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? ReadFirstLine(string path) => ReadLines(path) is [var first, ..] ? first : null;

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The time of all processors since the machine started, in clock ticks.</summary>
    private readonly record struct CpuTimes(long Busy, long Total)
    {
        public static CpuTimes? Read()
        {
            // "cpu  user nice system idle iowait irq softirq steal guest guest_nice". User and nice include guest and guest_nice.
            if (ReadFirstLine("/proc/stat")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["cpu", .. { Length: >= 8 } words])
            {
                return null;
            }

            var times = new long[8];
            for (var i = 0; i < times.Length; i++)
            {
                if (!long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out times[i]))
                {
                    return null;
                }
            }

            var total = times.Sum();
            return new(total - times[3] - times[4], total);
        }
    }
}

internal static class Percent
{
    /// <summary>Returns a percentage from 0 to 100 with one decimal, or 0 when <paramref name="whole"/> is 0.</summary>
    public static double Of(double part, double whole) => whole > 0 ? Math.Round(Math.Clamp(100 * part / whole, 0, 100), 1) : 0;
}
