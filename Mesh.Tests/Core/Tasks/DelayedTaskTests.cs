using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/protocol.md, "Tasks over HTTP": tasks that are not run before a time.</summary>
public sealed class DelayedTaskTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMinutes(5);

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Task_BeforeItsTime_IsNotDispatchedAndThenIs()
    {
        var session = _mesh.Ask("w1");
        Submit("t1", Delay);
        _mesh.Pass(Delay - TimeSpan.FromTicks(1));
        _mesh.Ask("w1", session);
        Assert.Empty(_mesh.To(session).OfType<NewTask>());
        Assert.Equal((0, 0, 1), Counts());

        _mesh.Pass(TimeSpan.FromTicks(1));

        Assert.Equal("t1", _mesh.Last<NewTask>(session).Id!.Value.Value);
        Assert.Equal((0, 1, 0), Counts());
    }

    [Fact]
    public void Task_DueWithoutAWorker_IsQueued()
    {
        Submit("t1", Delay);
        Assert.Equal(_mesh.Now + Delay, _mesh.Core.NextDueTime > _mesh.Now ? _mesh.Core.FindTask("t1")!.NotBefore : null);
        _mesh.Pass(Delay);

        Assert.Equal((1, 0, 0), Counts());
        Assert.Equal(TaskState.Queued, _mesh.Core.FindTask("t1")!.State);
    }

    [Fact]
    public void NextDueTime_NothingButADelayedTask_IsItsTime()
    {
        var mesh = new CoreHarness(settings => settings with { Peers = [] });
        mesh.Submit(new Submission([Record("t1", mesh.Now + Delay), Record("t2", mesh.Now + (Delay / 2))]));

        Assert.Equal(mesh.Now + (Delay / 2), mesh.Core.NextDueTime);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-86_400)]
    public void Task_WithATimeThatHasPassed_IsDispatchedAtOnce(int seconds)
    {
        var session = _mesh.Ask("w1");
        Submit("t1", TimeSpan.FromSeconds(seconds));

        Assert.Equal("t1", _mesh.Last<NewTask>(session).Id!.Value.Value);
    }

    [Fact]
    public void Tasks_Delayed_AreListedEarliestFirst()
    {
        Submit("late", 3 * Delay);
        Submit("early", Delay);
        Submit("middle", 2 * Delay);
        Submit("early too", Delay);

        var listed = _mesh.Core.ListTasks(TaskState.Scheduled, 3).ToList();
        Assert.Equal(["early", "early too", "middle"], listed.Select(task => task.Id));
        Assert.All(listed, task => Assert.Equal(TaskState.Scheduled, task.State));
        Assert.Empty(_mesh.Core.ListTasks(TaskState.Queued, 10));
    }

    [Fact]
    public void Tasks_Delayed_CountInTheCapacityAndNotForTheMarks()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { Capacity = 20 } });
        mesh.Alive(load: new ServerLoad(0, 5));
        mesh.Submit(new Submission([.. Enumerable.Range(0, 20).Select(i => Record($"t{i}", mesh.Now + Delay))]));
        mesh.Submit(1);
        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Full], mesh.Answers);

        // More tasks than the high mark: the server borrows when they are due.
        mesh.Pass(Delay - TimeSpan.FromSeconds(1));
        Assert.Empty(mesh.ToPeer<WorkerRequest>(CoreHarness.Peer));
        mesh.Alive(load: new ServerLoad(0, 5));
        mesh.Pass(TimeSpan.FromSeconds(3));
        Assert.NotEmpty(mesh.ToPeer<WorkerRequest>(CoreHarness.Peer));
    }

    [Fact]
    public void Tasks_AllDueAtOnce_AreQueuedInSteps()
    {
        _mesh.Submit(new Submission([.. Enumerable.Range(0, 2_500).Select(i => Record($"t{i:0000}", _mesh.Now + Delay))]));
        var due = _mesh.Now + Delay;

        _mesh.Core.OnTimer(due);
        Assert.InRange(_mesh.Core.QueueDepth, 1, 1_000);
        Assert.Equal(due, _mesh.Core.NextDueTime);

        _mesh.Pass(Delay);
        Assert.Equal(2_500, _mesh.Core.QueueDepth);
        Assert.Equal("t0000", _mesh.Last<NewTask>(_mesh.Ask("w1")).Id!.Value.Value);
    }

    [Fact]
    public void StoredTasks_OfARestartedServer_WaitForTheirTime()
    {
        var now = _mesh.Now;
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [Record("delayed", now + Delay), Record("due", now - Delay)] });

        var session = mesh.Ask("w1");
        Assert.Equal("due", mesh.Last<NewTask>(session).Id!.Value.Value);
        mesh.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = new TaskId("due") });
        mesh.Pass(Delay - TimeSpan.FromSeconds(1));
        mesh.Ask("w1", session);
        Assert.Single(mesh.To(session).OfType<NewTask>());
        mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal("delayed", mesh.Last<NewTask>(session).Id!.Value.Value);
    }

    [Fact]
    public void AdoptedTasks_Delayed_WaitForTheirTimeAndLeaveWithTheAdoption()
    {
        var due = _mesh.Now + Delay;
        _mesh.Adopt(CoreHarness.Peer, Record("t1", due) with { StoredBy = CoreHarness.Peer }, Record("t2", due) with { StoredBy = CoreHarness.Peer, Sequence = 2 });
        Submit("own", Delay);
        Assert.Equal((0, 0, 3), Counts());

        _mesh.ReleaseAdopted(CoreHarness.Peer);
        Assert.Equal((0, 0, 1), Counts());

        _mesh.Pass(Delay);
        Assert.Equal("own", _mesh.Last<NewTask>(_mesh.Ask("w1")).Id!.Value.Value);
        Assert.Equal((0, 1, 0), Counts());
    }

    [Fact]
    public void Tasks_OfAStoreThatWentBack_WaitForTheirTime()
    {
        Submit("kept", Delay);
        var reloaded = Record("reloaded", _mesh.Now + Delay);

        _mesh.RollBackStore(new StoredState { Tasks = [reloaded] });

        Assert.Equal((0, 0, 2), Counts());
        var restored = Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.RestoreTask).Task!;
        Assert.Equal(("kept", TaskState.Queued, _mesh.Now + Delay), (restored.Id, restored.State, restored.NotBefore));
        _mesh.Pass(Delay);
        Assert.Equal(2, _mesh.Core.QueueDepth);
    }

    [Fact]
    public void Task_SettledWhileItIsDelayed_IsNotRunAgain()
    {
        Submit("t1", Delay);
        Submit("t2", 2 * Delay);
        _mesh.Say(new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = new TaskId("t1") });
        Assert.Equal((0, 0, 1), Counts());

        _mesh.Pass(2 * Delay);

        Assert.Equal("t2", _mesh.Last<NewTask>(_mesh.Ask("w1")).Id!.Value.Value);
        Assert.Equal(1, _mesh.Core.Footprint.Tasks);
    }

    [Fact]
    public void FailedTask_InItsRetryDelay_IsScheduledAndNotInTheQueue()
    {
        var task = _mesh.Submit(1)[0];
        var session = _mesh.Ask("w1");
        _mesh.Say(session, new TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = task.WireId });

        Assert.Equal((0, 0, 1), Counts());
        var found = _mesh.Core.FindTask(task.Id)!;
        Assert.Equal((TaskState.Scheduled, 1, _mesh.Now + new TasksOptions().RetryDelay), (found.State, found.Attempts, found.NotBefore));
        Assert.Null(Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.UpdateTask).Task!.NotBefore);

        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal((1, 0, 0), Counts());
    }

    [Fact]
    public void ScheduledTasks_AddedAndRemovedAtRandom_StayInOrder()
    {
        var random = new Random(7);
        var (scheduled, expected) = (new ScheduledTasks(), new List<TaskEntry>());
        for (var step = 0; step < 20_000; step++)
        {
            if (expected.Count == 0 || random.Next(3) > 0)
            {
                var task = new TaskEntry(Record($"t{step}", notBefore: null) with { Sequence = step }) { DueAt = _mesh.Now + TimeSpan.FromSeconds(random.Next(100)) };
                scheduled.Add(task);
                expected.Add(task);
            }
            else if (random.Next(2) == 0)
            {
                var task = expected[random.Next(expected.Count)];
                scheduled.Remove(task);
                expected.Remove(task);
            }
            else
            {
                var first = expected.MinBy(task => (task.DueAt, task.Record.Sequence));
                Assert.Equal(first!.DueAt, scheduled.NextDue);
                Assert.False(scheduled.TryTakeDue(first.DueAt - TimeSpan.FromTicks(1), out _));
                Assert.True(scheduled.TryTakeDue(first.DueAt, out var taken));
                Assert.Same(first, taken);
                expected.Remove(first);
            }
        }

        Assert.Equal(expected.OrderBy(task => (task.DueAt, task.Record.Sequence)), scheduled.InOrder());
        Assert.Equal(expected.Count, scheduled.Count);
    }

    private static TaskRecord Record(string id, DateTimeOffset? notBefore) => new(id, new TaskId(id), TaskType.Query, "Maria", null, 1) { NotBefore = notBefore };

    private void Submit(string id, TimeSpan delay) => _mesh.Submit(new Submission([Record(id, _mesh.Now + delay)]));

    private (int Queued, int Running, int Scheduled) Counts() => _mesh.Core.GetStatus() is var status ? (status.Queue, status.Running, status.Scheduled) : default;
}
