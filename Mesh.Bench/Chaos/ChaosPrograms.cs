using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The full paths of the programs that a chaos run needs from the machine.</summary>
/// <param name="Redis">redis-server or valkey-server.</param>
/// <param name="Python">The Python interpreter; null when the run has no line workers.</param>
internal sealed record ChaosPrograms(string Redis, string DotNet, string? Python)
{
    /// <exception cref="BenchException">A program is not on the PATH.</exception>
    public static ChaosPrograms Find(bool python) => new(FindRequired("redis-server", "valkey-server"), FindRequired("dotnet"), python ? FindRequired("python3") : null);

    private static string FindRequired(params string[] names) =>
        ExecutableFinder.Find(names) ?? throw new BenchException($"chaos needs {string.Join(" or ", names)} on the PATH.");
}
