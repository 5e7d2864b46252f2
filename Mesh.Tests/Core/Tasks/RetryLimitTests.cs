using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>The limits that a task has of its own, and what a worker asks for with RETRY and RETRY_AFTER (docs/protocol.md, "Tasks of any type").</summary>
public sealed class RetryLimitTests
{
    private readonly CoreHarness _mesh = new(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 3 } });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void MaxAttempts_OfTheTask_ReplacesTheSetting(int attempts)
    {
        var task = Submit(new TaskLimits(attempts, Timeout: null, Retry: null));
        Assert.Equal(attempts, FailUntilDead(task));
    }

    [Fact]
    public void MaxAttempts_NotGiven_IsTheSetting() => Assert.Equal(3, FailUntilDead(Submit(new TaskLimits(MaxAttempts: null, TimeSpan.FromHours(1), Retry: null))));

    [Fact]
    public void MaxAttempts_OneWorkerOfTwo_IsDoubled()
    {
        var task = Submit(new TaskLimits(2, Timeout: null, Retry: null));
        var session = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Say(session, Nok(task));
        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Contains(_mesh.Sent, send => send.Message is NewTask && send.Session != session);
    }

    [Fact]
    public void Retry_OfTheTask_ReplacesTheDelaysOfTheSettings()
    {
        var task = Submit(new TaskLimits(9, Timeout: null, new RetryDelays(TimeSpan.FromMinutes(1), 3, TimeSpan.FromMinutes(20))));

        Assert.Equal([1, 3, 9, 20, 20, 20], Delays(task, 6).Select(delay => delay.TotalMinutes));
    }

    [Fact]
    public void Retry_WithTheLargestFactorAndDelay_DoesNotOverflow()
    {
        var longest = TimeSpan.FromDays(3_650);
        var task = Submit(new TaskLimits(1_000, Timeout: null, new RetryDelays(longest, 100, longest)));

        Assert.Equal([longest, longest, longest], Delays(task, 3));
    }

    [Fact]
    public void HandedBack_TaskWithDelaysOfItsOwn_WaitsForThemFromTheSecondTimeOn()
    {
        var task = Submit(new TaskLimits(MaxAttempts: null, Timeout: null, new RetryDelays(TimeSpan.FromMinutes(1), 2, TimeSpan.FromHours(1))));
        var session = _mesh.Ask("w1");
        _mesh.Say(session, Nok(task) with { HandedBack = true });
        _mesh.Ask("w1", session);
        _mesh.Say(session, Nok(task) with { HandedBack = true });

        Assert.Equal(_mesh.Now + TimeSpan.FromMinutes(1), _mesh.Core.FindTask(task.Id)!.NotBefore);
    }

    [Fact]
    public void RetryFalse_FirstAttempt_IsADeadLetterAtOnce()
    {
        var task = Submit();
        var session = _mesh.Ask("w1");
        _mesh.Ask("w2");
        _mesh.Say(session, Nok(task) with { MayRetry = false, RetryAfter = TimeSpan.FromSeconds(1) });

        var dead = Assert.Single(_mesh.Events.OfType<TaskDeadLettered>()).Task;
        Assert.Equal((task.Id, 1, "no"), (dead.Id, dead.Attempts, dead.Error));
        _mesh.Last<Ack>(session);
        Assert.Equal(0, _mesh.Core.Footprint.Tasks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RetryFalse_OfAnUpdate_AsksTheLedgerFirst(bool wasApplied)
    {
        var task = _mesh.Submit(1, TaskType.Update)[0];
        var session = _mesh.Ask("w1");
        _mesh.Say(session, Nok(task) with { MayRetry = false });
        Assert.Equal(task.WireId, Assert.Single(_mesh.Invalidations).WireId);
        Assert.Empty(_mesh.To(session).OfType<Ack>());

        _mesh.Invalidated(task.WireId, wasApplied ? 10 : null);

        _mesh.Last<Ack>(session);
        Assert.Equal(wasApplied ? StoreOpKind.SettleTask : StoreOpKind.MoveTaskToDeadLetters, _mesh.Stored[^1].Kind);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    [InlineData(3_600)]
    public void RetryAfter_OfTheWorker_ReplacesTheDelay(double seconds)
    {
        var task = Submit();
        var session = _mesh.Ask("w1");
        _mesh.Say(session, Nok(task) with { RetryAfter = TimeSpan.FromSeconds(seconds) });

        Assert.Equal(TimeSpan.FromSeconds(seconds), NextAttempt(session, task));
    }

    [Fact]
    public void RetryAfter_OfTheLastAttempt_IsADeadLetter()
    {
        var task = Submit(new TaskLimits(1, Timeout: null, Retry: null));
        _mesh.Say(_mesh.Ask("w1"), Nok(task) with { RetryAfter = TimeSpan.FromHours(1) });

        Assert.Single(_mesh.Events.OfType<TaskDeadLettered>());
    }

    /// <summary>The delay is kept in memory only: after a restart the task is tried at once.</summary>
    [Fact]
    public void RetryAfter_AfterARestart_IsForgotten()
    {
        var task = Submit();
        _mesh.Say(_mesh.Ask("w1"), Nok(task) with { RetryAfter = TimeSpan.FromHours(1) });

        var restarted = new CoreHarness(stored: new StoredState { Tasks = [_mesh.Stored[^1].Task!] });

        Assert.Equal(task.WireId, restarted.Last<NewTask>(restarted.Ask("w2")).Id);
    }

    [Fact]
    public void HandedBack_WithRetryFields_IsAHandBack()
    {
        var task = Submit();
        var session = _mesh.Ask("w1");
        _mesh.Say(session, Nok(task) with { HandedBack = true, MayRetry = false, RetryAfter = TimeSpan.FromHours(1) });

        Assert.Equal(0, _mesh.Core.FindTask(task.Id)!.Attempts);
        Assert.Equal(task.WireId, _mesh.Last<NewTask>(_mesh.Ask("w2")).Id);
    }

    [Fact]
    public void RetryFalse_OfAnAttemptThatIsOver_ChangesNothing()
    {
        var task = Submit();
        var session = _mesh.Ask("w1");
        _mesh.Say(session, Nok(task));
        _mesh.Say(session, Nok(task) with { MayRetry = false, RetryAfter = TimeSpan.FromHours(1) });

        Assert.Empty(_mesh.Events.OfType<TaskDeadLettered>());
        Assert.Equal(new TasksOptions().RetryDelay, NextAttempt(session, task));
    }

    private static TaskStatus Nok(TaskRecord task) => new(TaskOutcome.Nok, task.Type, new WorkerId("w1")) { Id = task.WireId, Error = "no" };

    private TaskRecord Submit(TaskLimits? limits = null)
    {
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "Maria", null, 0) { Limits = limits };
        _mesh.Submit(new Submission([task]));
        return task;
    }

    /// <summary>Has one worker fail at a task until it is a dead letter, and returns the number of attempts.</summary>
    private int FailUntilDead(TaskRecord task)
    {
        var session = _mesh.NewSession();
        while (!_mesh.Events.Any(happened => happened is TaskDeadLettered))
        {
            _mesh.Ask("w1", session);
            _mesh.Say(session, Nok(task));
            _mesh.Pass(TimeSpan.FromSeconds(29));
        }

        return _mesh.To(session).OfType<NewTask>().Count();
    }

    private List<TimeSpan> Delays(TaskRecord task, int count)
    {
        var session = _mesh.Ask("w1");
        var delays = new List<TimeSpan>();
        while (delays.Count < count)
        {
            _mesh.Say(session, Nok(task));
            delays.Add(NextAttempt(session, task));
        }

        return delays;
    }

    /// <summary>Advances the time to the next attempt of the worker, and returns the time that it waited.</summary>
    private TimeSpan NextAttempt(SessionId session, TaskRecord task)
    {
        var (failed, attempts) = (_mesh.Now, _mesh.To(session).OfType<NewTask>().Count());
        if (_mesh.Core.FindTask(task.Id) is { State: TaskState.Scheduled, NotBefore: { } due })
        {
            _mesh.Ask("w1", session);
            Assert.Equal(attempts, _mesh.To(session).OfType<NewTask>().Count());

            // Without passing the time in steps: a delay of years would wake the core for every heartbeat.
            _mesh.JumpTo(due - TimeSpan.FromTicks(1));
            Assert.Equal(attempts, _mesh.To(session).OfType<NewTask>().Count());
            _mesh.JumpTo(due);
        }

        _mesh.Ask("w1", session);
        Assert.Equal(attempts + 1, _mesh.To(session).OfType<NewTask>().Count());
        return _mesh.Now - failed;
    }
}
