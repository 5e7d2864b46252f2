using System.CommandLine;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Codec;

/// <summary>The command line of the codec benchmark.</summary>
internal static class CodecCommand
{
    public static Command Create()
    {
        var rounds = NumberOption.Create("--rounds", "Rounds of 2,000 messages. The fastest round is reported.", 1_000, 1, 1_000_000);
        var command = new Command("codec", "Measures what writing a message costs, with the codec of the mesh and with Utf8JsonWriter.") { rounds };
        command.Runs((parsed, cancellationToken) => Task.FromResult(CodecRun.Run(parsed.GetValue(rounds), parsed.InvocationConfiguration.Output, cancellationToken)));
        return command;
    }
}
