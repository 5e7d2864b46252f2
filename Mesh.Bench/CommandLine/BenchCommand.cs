using System.CommandLine;
using System.CommandLine.Invocation;
using Mesh.Bench.Chaos;
using Mesh.Bench.Codec;
using Mesh.Bench.Fuzz;
using Mesh.Bench.Idle;
using Mesh.Bench.Load;
using Mesh.Bench.Simulate;

namespace Mesh.Bench.CommandLine;

/// <summary>The whole command line. What is wrong with it, or comes up in a run, is told in a line on the error stream.</summary>
internal static class BenchCommand
{
    /// <summary>How long a run that is stopped may take to close its connections and end its processes.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <param name="arguments">Without the program's name.</param>
    /// <param name="output">Where --help goes.</param>
    /// <param name="error">Where faults go.</param>
    /// <param name="cancellationToken">Stops the run, as Ctrl+C does.</param>
    /// <returns>The exit code: 0 when all went well.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand("Measures a running mesh server and the codec, feeds a server with bad input, simulates whole meshes, and harms real ones.")
        {
            LoadCommand.Create(), IdleCommand.Create(), FuzzCommand.Create(), SimulateCommand.Create(), ChaosCommand.Create(), CodecCommand.Create(),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction refusal)
        {
            // Of a command the fault is what must be seen; without one, what commands there are.
            refusal.ShowHelp = parsed.CommandResult.Command == root;
        }

        return parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = StopLimit }, cancellationToken);
    }

    /// <summary>What the command does; its result is the exit code.</summary>
    public static void Runs(this Command command, Func<ParseResult, CancellationToken, Task<int>> run) => command.SetAction(async (parsed, cancellationToken) =>
    {
        var error = parsed.InvocationConfiguration.Error;
        try
        {
            // Ctrl+C is heeded only once this has returned a task.
            return await Task.Run(() => run(parsed, cancellationToken), CancellationToken.None);
        }
        catch (BenchException fault)
        {
            await error.WriteLineAsync(fault.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped.");
        }

        return 1;
    });
}
