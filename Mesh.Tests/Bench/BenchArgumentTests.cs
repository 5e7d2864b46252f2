using Mesh.Fuzz;
using Mesh.Simulation;

namespace Mesh.Tests.Bench;

/// <summary>A check that would check nothing is no check that passes.</summary>
public sealed class BenchArgumentTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, -5)]
    [InlineData(long.MaxValue, 5)]
    public async Task Run_ZeroCases_Throws(long first, int count)
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => FuzzRun.RunAsync(first, count, null, TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentOutOfRangeException>(() => SimulationBatch.Run(first, count, cancellation: TestContext.Current.CancellationToken));
    }
}
