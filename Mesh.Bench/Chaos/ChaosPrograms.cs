using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>What chaos runs that is not its own, as full paths.</summary>
/// <param name="Redis">Redis or Valkey.</param>
/// <param name="Python">Null where there are no line workers.</param>
internal sealed record ChaosPrograms(string Redis, string DotNet, string? Python)
{
    /// <exception cref="BenchException">One is missing.</exception>
    public static ChaosPrograms Find(bool python) => new(FindRequired("redis-server", "valkey-server"), FindRequired("dotnet"), python ? FindRequired("python3") : null);

    private static string FindRequired(params string[] names) =>
        ExecutableFinder.Find(names) ?? throw new BenchException($"chaos needs {string.Join(" or ", names)} on the PATH.");
}
