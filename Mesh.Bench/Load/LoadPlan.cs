using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>What one run does.</summary>
/// <param name="Workers">Simulated workers, one connection each.</param>
/// <param name="Batch">Tasks of one POST.</param>
/// <param name="Submitters">POSTs under way at a time.</param>
/// <param name="StallTimeout">A run without any progress for so long is given up.</param>
/// <param name="Limits">Limits beyond which the run fails.</param>
internal sealed record LoadPlan(
    MeasuredServer Server, int Workers, int Tasks, Framing Transport, int Batch, int Submitters, TimeSpan StallTimeout, LoadLimits Limits)
{
    /// <summary>Tells this run's tasks from all others: the users' names begin with it.</summary>
    public string UserPrefix { get; } = $"bench-{Guid.NewGuid().ToString("N")[..8]}-";
}

/// <summary>Limits of a run. A limit that is null is not checked.</summary>
/// <param name="Refusal">The longest time, in milliseconds, from a POST to its refusal.</param>
/// <param name="Growth">The growth of the server's memory, in MiB.</param>
internal sealed record LoadLimits(int? Refusal, int? Growth);
