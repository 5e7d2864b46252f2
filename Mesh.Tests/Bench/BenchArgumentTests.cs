using Mesh.Fuzz;
using Mesh.Simulation;

namespace Mesh.Tests.Bench;

/// <summary>A run without a case fails, instead of reporting success.</summary>
public sealed class BenchArgumentTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, -5)]
    public Task Run_ZeroCases_Throws(long first, int count) => AssertRefusedAsync(first, count);

    [Fact]
    public Task Run_BeyondTheLastSeed_IsRefused() => AssertRefusedAsync(long.MaxValue, 5);

    private static async Task AssertRefusedAsync(long first, int count)
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => FuzzRun.RunAsync(first, count, null, TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentOutOfRangeException>(() => SimulationBatch.Run(first, count, cancellation: TestContext.Current.CancellationToken));
    }
}
