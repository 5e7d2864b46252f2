using System.Diagnostics;
using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Running;

/// <summary>
/// Measures with a generator: a process that submits the tasks and runs them. It writes "ready" after the warm-up, waits for a line, and writes the seconds that the measured tasks have taken.
/// Each system has generators of its own kind, and a process each, so that none meets the compiled code or the memory of another one.
/// </summary>
internal static class GeneratorProcess
{
    /// <param name="name">The name of the system.</param>
    /// <param name="server">The server; null for a system whose workers use the store directly.</param>
    /// <param name="store">The store; null for a server that is its own store.</param>
    public static async Task<SystemMeasurement> MeasureAsync(
        string name, ProcessStartInfo start, ComparePlan plan, OwnedProcess? server, OwnedProcess? store, CancellationToken cancellationToken)
    {
        await using var generator = OwnedProcess.Start($"The generator of {name}", start);
        await ExpectAsync(generator, "ready", cancellationToken);
        var before = (Generator: generator.ProcessorTime, Server: server?.ProcessorTime, Store: store?.ProcessorTime);
        await generator.WriteLineAsync("go", cancellationToken);
        var seconds = double.Parse(await generator.ReadLineAsync(cancellationToken), CultureInfo.InvariantCulture);
        return new(
            name,
            plan.Tasks,
            TimeSpan.FromSeconds(seconds),
            generator.ProcessorTime - before.Generator,
            server?.ProcessorTime - before.Server,
            store?.ProcessorTime - before.Store);
    }

    /// <summary>The workload as arguments of a generator, in the order that all generators read.</summary>
    public static string[] Arguments(ComparePlan plan, int port) =>
        [.. new[] { port, plan.Connections, plan.Slots, plan.Warmup, (int)plan.WarmupLimit.TotalSeconds, plan.Tasks, plan.Batch, plan.Submitters }.Select(number => number.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Starts this program as a generator.</summary>
    public static ProcessStartInfo OfThisProgram(string system, ComparePlan plan, int port) =>
        new(DotNetProgram.Path, [typeof(GeneratorProcess).Assembly.Location, GenerateCommand, system, .. Arguments(plan, port)]);

    /// <summary>The first argument of this program when it is a generator.</summary>
    public const string GenerateCommand = "generate";

    private static async Task ExpectAsync(OwnedProcess generator, string expected, CancellationToken cancellationToken)
    {
        var line = await generator.ReadLineAsync(cancellationToken);
        if (line != expected)
        {
            throw new BenchException($"The generator has written '{line}' instead of '{expected}'.");
        }
    }
}
