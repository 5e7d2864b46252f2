using System.CommandLine;
using System.CommandLine.Invocation;
using Mesh.Bench.Chaos;
using Mesh.Bench.Codec;
using Mesh.Bench.Fuzz;
using Mesh.Bench.Idle;
using Mesh.Bench.Load;
using Mesh.Bench.Overhead;
using Mesh.Bench.Simulate;

namespace Mesh.Bench.CommandLine;

/// <summary>The command line of Mesh.Bench. Invalid arguments and failures of a run are reported in one line on standard error.</summary>
internal static class BenchCommand
{
    /// <summary>The time that a run has to close its connections and end its processes after it was stopped.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <summary>Parses the arguments and runs the command.</summary>
    /// <param name="arguments">The arguments without the name of the program.</param>
    /// <param name="output">Receives the text of --help.</param>
    /// <param name="error">Receives error messages.</param>
    /// <param name="cancellationToken">Stops the run like Ctrl+C.</param>
    /// <returns>The exit code: 0 after success.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand("Measures a running mesh server and the codec, feeds a server with bad input, simulates whole meshes, and harms real ones.")
        {
            LoadCommand.Create(), IdleCommand.Create(), FuzzCommand.Create(), SimulateCommand.Create(), ChaosCommand.Create(), CodecCommand.Create(), OverheadCommand.Create(),
        };
        return InvokeAsync(root, arguments, output, error, cancellationToken);
    }

    /// <summary>Parses the arguments with these commands and runs one of them. The arguments and the result are those of <see cref="RunAsync"/>.</summary>
    public static Task<int> InvokeAsync(RootCommand root, IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction refusal)
        {
            // With a command, only the error is printed. Without one, the list of commands is printed as well.
            refusal.ShowHelp = parsed.CommandResult.Command == root;
        }

        return parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = StopLimit }, cancellationToken);
    }

    /// <summary>Sets the action of a command. Its result is the exit code.</summary>
    public static void Runs(this Command command, Func<ParseResult, CancellationToken, Task<int>> run) => command.SetAction(async (parsed, cancellationToken) =>
    {
        var error = parsed.InvocationConfiguration.Error;
        try
        {
            // System.CommandLine handles Ctrl+C only after this method has returned a task.
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
