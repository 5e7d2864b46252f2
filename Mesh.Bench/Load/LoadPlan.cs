using Mesh.Bench.CommandLine;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>The parameters of one load run.</summary>
/// <param name="Workers">The number of workers, with one connection each.</param>
/// <param name="Slots">The number of tasks that one worker runs at a time.</param>
/// <param name="Batch">The number of tasks in each POST.</param>
/// <param name="Submitters">The number of concurrent POSTs.</param>
/// <param name="StallTimeout">The run fails after this time without progress.</param>
/// <param name="Limits">The limits that the run must not exceed.</param>
internal sealed record LoadPlan(
    MeasuredServer Server, WorkerKind Kind, int Workers, int Slots, int Tasks, Framing Transport, int Batch, int Submitters, TimeSpan StallTimeout, LoadLimits Limits)
{
    /// <summary>The prefix of the user names of this run. It identifies the run's tasks.</summary>
    public string UserPrefix { get; } = $"bench-{Guid.NewGuid().ToString("N")[..8]}-";
}

/// <summary>Limits of a run. A limit that is null is not checked.</summary>
/// <param name="Refusal">The longest time, in milliseconds, from a POST to its refusal.</param>
/// <param name="Growth">The growth of the server's memory, in MiB.</param>
internal sealed record LoadLimits(int? Refusal, int? Growth);

/// <summary>What the workers of a run are.</summary>
internal enum WorkerKind
{
    /// <summary>Workers of the package MeshAspire.Worker, as users write them.</summary>
    Package = 1,

    /// <summary>A loop that receives and sends messages and does nothing else.</summary>
    Loop = 2,
}
