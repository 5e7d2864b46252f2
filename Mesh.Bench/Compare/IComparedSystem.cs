using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare;

/// <summary>A task queue that the comparison starts, measures and stops.</summary>
internal interface IComparedSystem
{
    string Name { get; }

    /// <summary>Returns what to install or to change so that the system can be measured, or null when nothing is missing.</summary>
    string? FindObstacle(ComparePlan plan);

    /// <summary>Starts the system with an empty store, measures it, and stops everything that it has started.</summary>
    /// <param name="directory">An empty directory for the data.</param>
    /// <exception cref="BenchException">The system did not start, or the measurement failed.</exception>
    Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken);
}
