using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Compare.Loans;
using Mesh.Bench.Compare.Micro;
using Mesh.Bench.Compare.Systems;

namespace Mesh.Bench.Compare;

/// <summary>The commands of this program.</summary>
internal static class CompareProgram
{
    private static readonly IComparedSystem[] Systems = [new MeshSystem(), new BullMqSystem(), new HangfireSystem(), new NatsSystem()];

    public static Task<int> RunAsync(string[] arguments)
    {
        var root = new RootCommand("Measures the mesh beside other task queues, its loans, and its parts alone.")
        {
            CompareCommand.Create([.. Systems.Select(system => system.Name)], (plan, output, cancellationToken) => CompareRun.RunAsync(plan, Systems, output, cancellationToken)),
            LoansCommand.Create(),
            MicroCommand.Create(),
        };
        return BenchCommand.InvokeAsync(root, arguments, Console.Out, Console.Error);
    }
}
