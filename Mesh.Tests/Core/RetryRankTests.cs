using Mesh.Protocol;
using Mesh.Server.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core;

/// <summary>docs/operations.md, "Failing workers": which of several workers gets a failed task.</summary>
public sealed class RetryRankTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Retry_WithTwoOtherWorkers_GoesToTheOneThatHasNotFailedLately()
    {
        // w2 fails at a task of its own, which w3 then does: only w2 has failed lately.
        var own = _mesh.Submit(1)[0];
        var unlucky = _mesh.Ask("w2");
        _mesh.Say(unlucky, Status("w2", own, TaskOutcome.Nok));
        var well = _mesh.Ask("w3");
        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(own.WireId, _mesh.Last<NewTask>(well).Id);
        _mesh.Say(well, Status("w3", own, TaskOutcome.Ok));

        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1");
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(first).Id);
        _mesh.Say(first, Status("w1", task, TaskOutcome.Nok));
        _mesh.Ask("w2", unlucky);
        _mesh.Pass(TimeSpan.FromSeconds(0.1));
        _mesh.Ask("w3", well);
        _mesh.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(well).Id);
        Assert.Single(_mesh.To(unlucky).OfType<NewTask>());
    }

    private static TaskStatus Status(string worker, TaskRecord task, TaskOutcome outcome) => new(outcome, task.Type, new WorkerId(worker)) { Id = task.WireId };
}
