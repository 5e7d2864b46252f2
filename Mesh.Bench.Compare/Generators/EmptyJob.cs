namespace Mesh.Bench.Compare.Generators;

/// <summary>The job of Hangfire, which requires a public method of a public type.</summary>
public static class EmptyJob
{
    public static int Run(string user) => user.Length > 0 ? 0 : 1;
}
