using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>What one run does.</summary>
/// <param name="Workers">Simulated workers, one connection each.</param>
/// <param name="Batch">Tasks of one POST.</param>
/// <param name="Submitters">POSTs under way at a time.</param>
/// <param name="StallTimeout">A run without any progress for so long is given up.</param>
internal sealed record LoadPlan(
    MeasuredServer Server, int Workers, int Tasks, Framing Transport, int Batch, int Submitters, TimeSpan StallTimeout)
{
    /// <summary>Tells this run's tasks from all others: the users' names begin with it.</summary>
    public string UserPrefix { get; } = $"bench-{Guid.NewGuid().ToString("N")[..8]}-";
}
