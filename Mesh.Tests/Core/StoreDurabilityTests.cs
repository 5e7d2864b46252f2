using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Tests.Core;

public sealed class StoreDurabilityTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Submission_StoreMayEvict_IsRefusedUntilFixed()
    {
        _mesh.Core.OnStoreDurability(isDurable: false);
        _mesh.Submit(1);
        _mesh.Submit(new Submission([new TaskRecord("t1", new TaskId("t1-again"), TaskType.Query, "Maria", null, 1)], isDeadLetterRetry: true));
        Assert.Equal([SubmitOutcome.StoreNotDurable, SubmitOutcome.StoreNotDurable], _mesh.Answers);
        Assert.Empty(_mesh.Stored);

        _mesh.Core.OnStoreDurability(isDurable: true);
        _mesh.Submit(1);
        Assert.Equal(SubmitOutcome.Accepted, _mesh.Answers[^1]);
    }
}
