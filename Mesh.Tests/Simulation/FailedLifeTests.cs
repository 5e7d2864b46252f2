using Mesh.Simulation;
using Mesh.Simulation.Checks;

namespace Mesh.Tests.Simulation;

/// <summary>What a life that breaks an invariant prints (docs/reliability.md, "Simulation").</summary>
public sealed class FailedLifeTests
{
    [Fact]
    public void FailedLife_AsText_HasLastStepsInvariantAndReplayCommand()
    {
        var life = Enumerable.Range(1, 20).Select(seed => SimulationRun.Run(seed, mutation: Mutation.ActBeforeStored)).First(life => life.Broken is not null);

        var lines = $"{life}".Split(Environment.NewLine);

        Assert.Equal($"The last steps of seed {life.Seed} ({life.Plan}):", lines[0]);
        Assert.NotEmpty(life.LastSteps);
        Assert.Equal(life.LastSteps, lines[1..(life.LastSteps.Count + 1)]);
        Assert.Contains($"{life.Broken} is broken: {life.Detail}".Split(Environment.NewLine)[0], lines);
        Assert.Equal($"Replay: dotnet run --project Mesh.Bench -- simulate --seed {life.Seed} --mutation ActBeforeStored", lines[^1]);

        // The seed and the mutation of that command give the same life.
        var again = SimulationRun.Run(life.Seed, mutation: Mutation.ActBeforeStored);
        Assert.Equal((life.Broken, life.Detail, life.Steps), (again.Broken, again.Detail, again.Steps));
    }
}
