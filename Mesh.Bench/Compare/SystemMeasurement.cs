namespace Mesh.Bench.Compare;

/// <summary>One measurement of one system.</summary>
/// <param name="Generator">The time of the process that submits and runs the tasks.</param>
/// <param name="Server">The time of the server; null for a system whose workers use the store directly.</param>
/// <param name="Store">The time of the store; null for a server that is its own store.</param>
internal sealed record SystemMeasurement(string System, int Tasks, TimeSpan Elapsed, ProcessorTime Generator, ProcessorTime? Server, ProcessorTime? Store)
{
    public double TasksPerSecond => Tasks / Elapsed.TotalSeconds;
}
