using System.Diagnostics;
using System.Numerics;

namespace Mesh.Bench.Compare;

/// <summary>The processor time of a process.</summary>
/// <param name="User">The time in the program.</param>
/// <param name="Kernel">The time in the operating system on its behalf.</param>
internal readonly record struct ProcessorTime(TimeSpan User, TimeSpan Kernel) : IAdditionOperators<ProcessorTime, ProcessorTime, ProcessorTime>, ISubtractionOperators<ProcessorTime, ProcessorTime, ProcessorTime>
{
    public TimeSpan Total => User + Kernel;

    /// <exception cref="InvalidOperationException">The process has ended.</exception>
    public static ProcessorTime Of(Process process)
    {
        process.Refresh();
        return new(process.UserProcessorTime, process.PrivilegedProcessorTime);
    }

    public static ProcessorTime operator +(ProcessorTime left, ProcessorTime right) => new(left.User + right.User, left.Kernel + right.Kernel);

    public static ProcessorTime operator -(ProcessorTime left, ProcessorTime right) => new(left.User - right.User, left.Kernel - right.Kernel);
}
