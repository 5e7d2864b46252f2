using Mesh.Bench.CommandLine;

namespace Mesh.Tests.Bench;

/// <summary>One command line of Mesh.Bench, run in this process.</summary>
internal sealed record BenchResult(int Code, string Output, string Error)
{
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public static async Task<BenchResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BenchCommand.RunAsync(arguments, output, error, cancellation);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Asserts that the command failed with one line of error output that contains this text.</summary>
    public void FailedWith(string told)
    {
        Assert.Equal(1, Code);
        Assert.Contains(told, Assert.Single(ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }
}
