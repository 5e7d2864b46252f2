using Mesh.Fuzz;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Fuzz;

/// <summary>A fixed part of what `Mesh.Bench fuzz` runs by the million.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class FuzzTests
{
    [Fact]
    public async Task Server_RandomBadInput_KeepsServing()
    {
        var report = await FuzzRun.RunAsync(first: 1, count: 10_000, progress: null, TestContext.Current.CancellationToken);

        Assert.True(report.Failure is null, $"{report.Failure?.What}\n{report.Failure?.Replay}");
        Assert.Null(report.ServerFailure);

        // The run has covered errors on both transports, refused bodies and accepted messages.
        Assert.All(["Rejection", "HeartbeatResponse", "Unavailable", "400", "202", "404"], kind => Assert.True(report.Answers.GetValueOrDefault(kind) > 10, $"{kind}: {report.Answers.GetValueOrDefault(kind)}"));
    }
}
