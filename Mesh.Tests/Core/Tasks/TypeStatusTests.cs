using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Tests.Fixtures;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>The task types in GET /status.</summary>
public sealed class TypeStatusTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Types_QueuedAndRunning_AreCountedUntilTheTasksEnd()
    {
        Assert.Empty(_mesh.Core.GetStatus().Types);
        _mesh.Submit(2);
        _mesh.Submit(1, TaskType.Update);
        Assert.Equal([new(TaskType.Query, 2, 0), new(TaskType.Update, 1, 0)], _mesh.Core.GetStatus().Types);

        var session = _mesh.Ask("w1", tasks: AccountTypes.Query);
        Assert.Equal([new(TaskType.Query, 1, 1), new(TaskType.Update, 1, 0)], _mesh.Core.GetStatus().Types);

        _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")));
        Assert.Equal([new TypeStatus(TaskType.Query, 1, 0), new(TaskType.Update, 1, 0)], _mesh.Core.GetStatus().Types);
    }
}
