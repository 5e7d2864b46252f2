using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Tests.Fixtures;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/operations.md, "Failing workers": which of several workers gets a failed task.</summary>
public sealed class RetryRankTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Retry_TwoOtherWorkers_GoesToTheOneWithoutRecentFailures()
    {
        // w2 has failed lately, at an UPDATE that only it handles: without a strike, so it is not paused.
        var update = _mesh.Submit(1, TaskType.Update)[0];
        var unlucky = _mesh.Ask("w2");
        _mesh.Say(unlucky, Status("w2", update, TaskOutcome.Nok));

        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1", tasks: AccountTypes.Query);
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(first).Id);

        // One get_task is for the UPDATE; the other one waits, for longer than that of w3.
        _mesh.Ask("w2", unlucky);
        _mesh.Ask("w2", unlucky);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal([update.WireId, update.WireId], _mesh.To(unlucky).OfType<NewTask>().Select(given => given.Id!.Value));
        var well = _mesh.Ask("w3", tasks: AccountTypes.Query);
        _mesh.Say(first, Status("w1", task, TaskOutcome.Nok));
        _mesh.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(well).Id);
    }

    private static TaskStatus Status(string worker, TaskRecord task, TaskOutcome outcome) => new(outcome, task.Type, new WorkerId(worker)) { Id = task.WireId };
}
