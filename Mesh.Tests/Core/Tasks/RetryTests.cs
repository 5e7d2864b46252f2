using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>Retries of failed tasks: the worker that runs them, the delay, and the last attempt.</summary>
public sealed class RetryTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Retry_WhereAnotherWorkerIs_GoesToIt()
    {
        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1");
        _mesh.Say(first, Nok("w1", task));
        _mesh.Ask("w1", first);
        var second = _mesh.Ask("w2");
        _mesh.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(second).Id);
        Assert.Single(_mesh.To(first).OfType<NewTask>());
    }

    [Fact]
    public void Retry_WhileTheOtherWorkerIsBusy_WaitsForIt()
    {
        _mesh.Submit(1);
        var other = _mesh.Ask("w2");
        var long1 = _mesh.Last<NewTask>(other);
        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1");
        _mesh.Say(first, Nok("w1", task));
        _mesh.Ask("w1", first);
        _mesh.Pass(TimeSpan.FromSeconds(10));
        Assert.Single(_mesh.To(first).OfType<NewTask>());

        _mesh.Say(other, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w2")) { Id = long1.Id });
        _mesh.Ask("w2", other);
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(other).Id);
    }

    [Fact]
    public void Retry_OnceTheOtherWorkerHasLeft_GoesToTheFirstAgain()
    {
        var task = _mesh.Submit(1)[0];
        var first = _mesh.Ask("w1");
        _mesh.Submit(1);
        var other = _mesh.Ask("w2");
        _mesh.Say(first, Nok("w1", task));
        _mesh.Ask("w1", first);
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Single(_mesh.To(first).OfType<NewTask>());

        _mesh.Close(other);
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(first).Id);
    }

    [Fact]
    public void Retries_OfOneTask_ComeAfterDelaysThatGrow()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 9, RetryMaxDelay = TimeSpan.FromSeconds(2) } });
        var task = mesh.Submit(1)[0];
        var session = mesh.Ask("w1");
        var delays = new List<double>();
        for (var attempt = 1; attempt < 7; attempt++)
        {
            mesh.Say(session, Nok("w1", task));
            mesh.Ask("w1", session);
            var (failed, given) = (mesh.Now, mesh.To(session).OfType<NewTask>().Count());
            while (mesh.To(session).OfType<NewTask>().Count() == given)
            {
                Assert.InRange((mesh.Now - failed).TotalSeconds, 0, 2);
                mesh.Pass(TimeSpan.FromMilliseconds(50));
            }

            delays.Add((mesh.Now - failed).TotalSeconds);
        }

        Assert.Equal([0.2, 0.4, 0.8, 1.6, 2, 2], delays);
    }

    [Fact]
    public void Attempts_OneWorkerWhileAnotherIsAvailable_DoNotCauseADeadLetter()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        for (var attempt = 1; attempt < 3; attempt++)
        {
            _mesh.Say(session, Nok("w1", task));
            _mesh.Ask("w1", session);
            _mesh.Pass(TimeSpan.FromSeconds(1));
        }

        var other = _mesh.Ask("w2");
        _mesh.Say(session, Nok("w1", task));
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain(_mesh.Events, happened => happened is TaskDeadLettered);

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(other).Id);
        _mesh.Say(other, Nok("w2", task));
        Assert.Single(_mesh.Events.OfType<TaskDeadLettered>());
    }

    [Fact]
    public void Attempt_HandedBack_IsNotCounted()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        var ops = _mesh.Stored.Count;
        _mesh.Say(session, Nok("w1", task) with { Error = "the worker is stopping", HandedBack = true });
        _mesh.Last<Ack>(session);
        Assert.Equal((0, ops), (_mesh.Core.FindTask(task.Id)!.Attempts, _mesh.Stored.Count));

        Assert.Equal(task.WireId, _mesh.Last<NewTask>(_mesh.Ask("w2")).Id);
        Assert.Equal(1, _mesh.Core.FindTask(task.Id)!.Attempts);
    }

    [Fact]
    public void Task_HandedBackByEachWorker_BecomesADeadLetter()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        var given = 0;
        while (!_mesh.Events.Any(happened => happened is TaskDeadLettered))
        {
            Assert.True(++given < 100, "it is handed back without end");
            _mesh.Say(session, Nok("w1", task) with { HandedBack = true });
            _mesh.Ask("w1", session);
            _mesh.Pass(TimeSpan.FromSeconds(31));
        }

        Assert.Equal(3, Assert.Single(_mesh.Events.OfType<TaskDeadLettered>()).Task.Attempts);
    }

    [Fact]
    public void Worker_MoreThanItsShare_GetsNoTask()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxPerWorker = 3 } });
        mesh.Submit(2);
        var session = mesh.NewSession();
        for (var asked = 0; asked < 5; asked++)
        {
            mesh.Ask("w1", session);
        }

        Assert.Equal((2, 2), (mesh.To(session).OfType<NewTask>().Count(), mesh.To(session).OfType<NoTask>().Count()));
        mesh.Submit(5);
        Assert.Equal(3, mesh.Core.GetStatus().Running);
    }

    [Theory]
    [InlineData(2, 3, 1, true, false)] // it has attempts left
    [InlineData(3, 3, 1, false, true)] // nobody else is there
    [InlineData(3, 3, 1, true, false)] // one worker alone has failed, and another can take it
    [InlineData(6, 3, 1, true, true)] // the other one does not take it
    [InlineData(3, 3, 2, true, true)] // the task is at fault
    [InlineData(1, 1, 1, true, true)] // it shall be tried once
    public void IsExhausted_FailedAttempt_ReturnsWhetherItWasTheLast(int attempts, int max, int workers, bool othersCanTake, bool isOver) =>
        Assert.Equal(isOver, RetryRouter.IsExhausted(attempts, max, workers, othersCanTake));

    private static TaskStatus Nok(string worker, TaskRecord task) =>
        new(TaskOutcome.Nok, task.Type, new WorkerId(worker)) { Id = task.WireId, Error = "no" };
}
