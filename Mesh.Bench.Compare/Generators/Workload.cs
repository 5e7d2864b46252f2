using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Generators;

/// <summary>The arguments of a generator, as <see cref="Running.GeneratorProcess.Arguments"/> writes them.</summary>
/// <param name="Port">The port of the server or store on this machine.</param>
internal sealed record Workload(int Port, int Connections, int Slots, int Warmup, int Tasks, int Batch, int Submitters)
{
    public int Total => Warmup + Tasks;

    /// <exception cref="BenchException">The arguments are not seven numbers.</exception>
    public static Workload Parse(IReadOnlyList<string> arguments)
    {
        var numbers = arguments.Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers is [var port, var connections, var slots, var warmup, var tasks, var batch, var submitters] && numbers.All(number => number >= 0)
            ? new(port, connections, slots, warmup, tasks, batch, submitters)
            : throw new BenchException("A generator is started by compare.");
    }
}
