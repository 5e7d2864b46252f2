using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>Finds the task of a status without TASK_ID.</summary>
public sealed class TaskStatusHandlerTests
{
    private readonly CoreHarness _mesh = new();

    [Theory]
    [InlineData("UPDATE")]
    [InlineData("QUERY")]
    public void Status_WithoutTaskId_OfAWorkerWithTwoOfTheType_IsRefusedAndSettlesNone(string name)
    {
        var type = new TaskType(name);
        var tasks = Give(type, type);

        var session = Say(type);

        Assert.StartsWith("TASK_ID: is missing", _mesh.Last<Rejection>(session).Error, StringComparison.Ordinal);
        Assert.All(tasks, task => Assert.Equal(TaskState.Running, _mesh.Core.FindTask(task.Id)!.State));

        _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, type, new WorkerId("w1")) { Id = tasks[0].WireId });
        Assert.Null(_mesh.Core.FindTask(tasks[0].Id));
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(tasks[1].Id)!.State);
    }

    [Fact]
    public void Update_WithoutTaskId_OfAWorkerWithAQueryToo_IsRefused()
    {
        Give(TaskType.Update, TaskType.Query);
        Assert.StartsWith("TASK_ID", _mesh.Last<Rejection>(Say(TaskType.Update)).Error, StringComparison.Ordinal);
        Assert.Equal(0, _mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void Query_WithoutTaskId_OfAWorkerWithAnUpdateToo_SettlesTheQuery()
    {
        var tasks = Give(TaskType.Query, TaskType.Update);
        _mesh.Last<Ack>(Say(TaskType.Query));
        Assert.Null(_mesh.Core.FindTask(tasks[0].Id));
        Assert.Equal(TaskState.Running, _mesh.Core.FindTask(tasks[1].Id)!.State);
    }

    [Fact]
    public void Status_WithoutTask_AnswersTheOnlyTask()
    {
        var task = Give(TaskType.Update)[0];
        var ack = _mesh.Last<Ack>(Say(null));
        Assert.Equal((new WorkerId("w1"), null), (ack.Worker, ack.Id));
        Assert.Null(_mesh.Core.FindTask(task.Id));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Status_WithoutTask_OfAWorkerWithNoneOrSeveral_IsRefusedNamingTask(int tasks)
    {
        Give([.. Enumerable.Repeat(TaskType.Query, tasks)]);
        Assert.StartsWith("TASK: is missing", _mesh.Last<Rejection>(Say(null)).Error, StringComparison.Ordinal);
        Assert.Equal(0, _mesh.Core.GetStatus().Done);
    }

    [Fact]
    public void Status_WithoutTaskButWithTaskId_AnswersThatTask()
    {
        var tasks = Give(TaskType.Query, TaskType.Update);
        _mesh.Say(new TaskStatus(TaskOutcome.Ok, null, new WorkerId("w1")) { Id = tasks[1].WireId });
        Assert.Null(_mesh.Core.FindTask(tasks[1].Id));
    }

    private TaskRecord[] Give(params TaskType[] types)
    {
        TaskRecord[] tasks = [.. types.Select(type => _mesh.Submit(1, type)[0])];
        var session = _mesh.NewSession();
        foreach (var _ in types)
        {
            _mesh.Ask("w1", session);
        }

        return tasks;
    }

    private SessionId Say(TaskType? type) => _mesh.Say(new TaskStatus(TaskOutcome.Ok, type, new WorkerId("w1")));
}
