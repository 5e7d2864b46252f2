using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Micro;

/// <summary>The command line of the micro-benchmarks.</summary>
internal static class MicroCommand
{
    private static readonly Dictionary<string, MicroLength> Lengths = new() { ["short"] = MicroLength.Short, ["medium"] = MicroLength.Medium, ["long"] = MicroLength.Long };

    public static Command Create()
    {
        var filter = new Option<string>("--filter") { Description = "The benchmarks to run.", HelpName = "GLOB", DefaultValueFactory = _ => "*" };
        var length = ChoiceOption.Create("--job", "How often each benchmark is repeated. A long job takes hours.", "short|medium|long", MicroLength.Short, Lengths);
        var command = new Command("micro", "Measures the message reader, the message writer, the core and the store, each alone, with their allocations.") { filter, length };
        command.Runs((parsed, cancellationToken) => MicroRun.RunAsync(parsed.GetValue(filter)!, parsed.GetValue(length), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }
}

/// <summary>How often each micro-benchmark is repeated.</summary>
internal enum MicroLength
{
    Short = 1,
    Medium = 2,
    Long = 3,
}
