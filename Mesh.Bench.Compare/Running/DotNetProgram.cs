namespace Mesh.Bench.Compare.Running;

/// <summary>The program "dotnet" that runs this process.</summary>
internal static class DotNetProgram
{
    public static string Path { get; } = Chaos.ExecutableFinder.Find("dotnet") ?? "dotnet";
}
