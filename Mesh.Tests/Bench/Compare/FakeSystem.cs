using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

/// <summary>A system that measures nothing and records its calls.</summary>
internal sealed class FakeSystem(string name, List<string> calls) : IComparedSystem
{
    public string Name => name;

    public string? Obstacle { get; init; }

    /// <summary>Runs instead of a measurement.</summary>
    public Func<string, CancellationToken, Task> Measure { get; init; } = (_, _) => Task.CompletedTask;

    public string? FindObstacle(ComparePlan plan) => Obstacle;

    public async Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken)
    {
        calls.Add(name);
        await Measure(directory, cancellationToken);
        return new(name, plan.Tasks, TimeSpan.FromSeconds(1), default, null, null);
    }
}
