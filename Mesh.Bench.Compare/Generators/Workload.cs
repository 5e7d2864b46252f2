using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Generators;

/// <summary>The arguments of a generator, as <see cref="Running.GeneratorProcess.Arguments"/> writes them.</summary>
/// <param name="Port">The port of the server or store on this machine.</param>
/// <param name="WarmupLimit">Seconds.</param>
internal sealed record Workload(int Port, int Connections, int Slots, int Warmup, int WarmupLimit, int Tasks, int Batch, int Submitters)
{
    /// <summary>The tasks that are submitted at most.</summary>
    public int Total => Warmup + Tasks;

    /// <exception cref="BenchException">The arguments are not eight numbers.</exception>
    public static Workload Parse(IReadOnlyList<string> arguments)
    {
        var numbers = arguments.Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers is [var port, var connections, var slots, var warmup, var warmupLimit, var tasks, var batch, var submitters] && numbers.All(number => number >= 0)
            ? new(port, connections, slots, warmup, warmupLimit, tasks, batch, submitters)
            : throw new BenchException("A generator is started by compare.");
    }
}
