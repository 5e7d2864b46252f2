using System.Diagnostics;
using Mesh.Tests.Publishing;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Embedded;

/// <summary>The AppHost as a process, asked for what it can't do.</summary>
public sealed class FaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("--operation is 'deploy'; it must be run or publish.", "--operation", "deploy")]
    [InlineData("The configuration can't be read: The short switch '-x=1' is not defined in the switch mappings.", "-x=1")]
    [InlineData("redis can't start: Mesh:Redis is 'nonsense'; it can be garnet, redis-server or external.", "--Mesh:Redis=nonsense")]
    [InlineData("--output-path is missing: the manifest's directory, or its file, which ends in .json.", "--publisher", "manifest")]
    public async Task AppHost_AskedForWhatCantBe_SaysSoInOneLineAndEndsWithOne(string line, params string[] arguments)
    {
        var start = new ProcessStartInfo(DotNet.Path, [Built.AppHost, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var program = Process.Start(start)!;
        try
        {
            var output = program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = program.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await program.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.Equal((1, line), (program.ExitCode, (await errors).Trim()));
            Assert.DoesNotContain("   at ", await output, StringComparison.Ordinal);
        }
        finally
        {
            if (!program.HasExited)
            {
                program.Kill(entireProcessTree: true);
            }
        }
    }
}
