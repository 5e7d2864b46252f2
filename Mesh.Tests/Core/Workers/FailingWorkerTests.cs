using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Workers;

/// <summary>A worker that fails at tasks which other workers complete is set aside, and no task becomes a dead letter because of it.</summary>
public sealed class FailingWorkerTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly CoreHarness _mesh = new(settings => settings with { Tasks = new TasksOptions { LeaseTime = TimeSpan.FromSeconds(2) } });
    private readonly Dictionary<SessionId, int> _heard = [];

    [Fact]
    public void Worker_FailsImmediately_CausesNoDeadLetterAndIsSetAside()
    {
        var (sick, good) = (_mesh.Ask("sick"), _mesh.Ask("good"));
        _mesh.Submit(300);
        for (var i = 0; i < 3_000; i++)
        {
            Answer(sick, "sick", _ => TaskOutcome.Nok);
            Answer(good, "good", _ => TaskOutcome.Ok);
            _mesh.Pass(Step);
            if (i is > 400 and < 2_500 && i % 10 == 0)
            {
                _mesh.Submit(1);
            }
        }

        Assert.Empty(_mesh.Events.OfType<TaskDeadLettered>());
        Assert.Equal(0, _mesh.Core.GetStatus().Queue);
        Assert.Equal([1, 2, 3, 4], _mesh.Events.OfType<WorkerPaused>().Select(paused => paused.Strikes));
        Assert.Equal([1, 2, 4, 8], _mesh.Events.OfType<WorkerPaused>().Select(paused => paused.Pause.TotalSeconds));
        Assert.Equal("sick", Assert.Single(_mesh.Events.OfType<WorkerSetAside>()).Worker.Value);
        Assert.Equal((WorkerState.SetAside, WorkerState.Idle), (_mesh.WorkerOf("sick")!.Value, _mesh.WorkerOf("good")!.Value));
    }

    [Fact]
    public void Worker_NeverReports_CausesNoDeadLetterAndIsSetAside()
    {
        var (silent, good) = (_mesh.Ask("silent"), _mesh.Ask("good"));
        var submitted = _mesh.Submit(200).LongLength;
        for (var i = 0; i < 10_000 && !_mesh.Events.Any(happened => happened is WorkerSetAside); i++)
        {
            for (var asks = 0; asks < 5; asks++)
            {
                _mesh.Ask("silent", silent);
            }

            Answer(good, "good", _ => TaskOutcome.Ok);
            _mesh.Pass(Step);
            if (i > 200 && i % 10 == 0)
            {
                submitted += _mesh.Submit(1).Length;
            }
        }

        Assert.Single(_mesh.Events.OfType<WorkerSetAside>());

        // The tasks that it holds end by their lease and go to the other worker.
        for (var i = 0; i < 2_000 && _mesh.Core.GetStatus() is { Queue: > 0 } or { Running: > 0 }; i++)
        {
            Answer(good, "good", _ => TaskOutcome.Ok);
            _mesh.Pass(Step);
        }

        Assert.Empty(_mesh.Events.OfType<TaskDeadLettered>());
        var status = _mesh.Core.GetStatus();
        Assert.Equal((0, 0, submitted), (status.Queue, status.Running, status.Done));
    }

    [Fact]
    public void Tasks_FailOnEveryWorker_AreDeadLetteredAndNoWorkerIsSetAside()
    {
        var sessions = Enumerable.Range(1, 3).ToDictionary(i => $"w{i}", i => _mesh.Ask($"w{i}"));
        var bad = _mesh.Submit(100).Select(task => task.WireId).ToHashSet();
        _mesh.Submit(100);
        for (var i = 0; i < 1_000; i++)
        {
            foreach (var (worker, session) in sessions)
            {
                Answer(session, worker, task => bad.Contains(task) ? TaskOutcome.Nok : TaskOutcome.Ok);
            }

            _mesh.Pass(Step);
        }

        Assert.Equal((100, 100), (_mesh.Core.GetStatus().Done, _mesh.Core.GetStatus().Dead));
        Assert.All(_mesh.Events.OfType<TaskDeadLettered>(), buried => Assert.Equal(3, buried.Task.Attempts));
        Assert.Empty(_mesh.Events.OfType<WorkerPaused>());
        Assert.All(_mesh.Core.GetStatus().Workers, worker => Assert.Equal((WorkerState.Idle, 0), (worker.State, worker.Strikes)));
    }

    [Fact]
    public void SetAsideWorker_Succeeds_IsReadmitted()
    {
        var sick = SetAside("sick");
        Answer(sick, "sick", _ => TaskOutcome.Nok);
        _mesh.Pass(WorkerHealth.SetAsidePause + Step);
        _mesh.Ask("sick", sick);
        _mesh.Submit(1);
        Answer(sick, "sick", _ => TaskOutcome.Ok);

        Assert.Single(_mesh.Events.OfType<WorkerReinstated>());
        Assert.Equal(WorkerState.Idle, _mesh.WorkerOf("sick"));
        _mesh.Submit(1);
        Assert.Equal(1, Answer(sick, "sick", _ => TaskOutcome.Ok));
    }

    [Fact]
    public void SetAsideWorker_Reconnects_IsReadmitted()
    {
        _mesh.Close(SetAside("sick"));
        var again = _mesh.Ask("sick");

        Assert.Single(_mesh.Events.OfType<WorkerReinstated>());
        _mesh.Submit(1);
        _mesh.Last<NewTask>(again);
    }

    [Fact]
    public void SetAsideWorker_IsNotLent()
    {
        SetAside("sick");
        _mesh.Ask("second");
        var request = new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer, WorkersNeeded = 5 };
        _mesh.Ask("third");
        var session = _mesh.Say(request);

        Assert.Equal("second", Assert.Single(_mesh.Last<Available>(session).Workers).Value);
    }

    [Fact]
    public void SetAsideWorker_HasNoTaskForTenMinutes_IsReadmittedAndLent()
    {
        var sick = SetAside("sick");
        _mesh.Ask("second");
        _mesh.Pass(WorkerHealth.SetAsidePause + WorkerHealth.LimitTime - TimeSpan.FromSeconds(2));
        Assert.Equal(WorkerState.SetAside, _mesh.WorkerOf("sick"));

        _mesh.Pass(TimeSpan.FromSeconds(2));
        _mesh.Ask("sick", sick);
        var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer, WorkersNeeded = 5 });

        Assert.Equal("it has not failed for ten minutes", Assert.Single(_mesh.Events.OfType<WorkerReinstated>()).Reason);
        Assert.Single(_mesh.Last<Available>(session).Workers);
    }

    [Fact]
    public void LimitedWorker_FailsAgain_IsLimitedForTenMinutesMore()
    {
        var now = _mesh.Now;
        var limited = default(WorkerHealth).AddFailure(now).AddStrike(new(new WorkerId("w1"), now, now), now, 5);
        var later = now + WorkerHealth.LimitTime;

        Assert.Equal(now + WorkerHealth.FirstPause + WorkerHealth.LimitTime, limited.LimitedUntil);
        Assert.Equal(later + WorkerHealth.FirstPause + WorkerHealth.LimitTime, limited.AddFailure(later).LimitedUntil);
    }

    [Fact]
    public void SetAsideBorrowedWorker_EachLoan_IsReturned()
    {
        var sick = SetAside("guest", CoreHarness.Peer.Value);
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal("guest", Assert.Single(Assert.Single(_mesh.ToPeer<CommandRelease>(CoreHarness.Peer)).Workers).Value);

        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("guest")]));
        Assert.Contains(_mesh.To(sick), message => message is Return);
        _mesh.Close(sick);
        _mesh.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("guest")]));
        Assert.Null(_mesh.LoanOf("guest"));

        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("guest")]));
        _mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(2, _mesh.ToPeer<CommandRelease>(CoreHarness.Peer).Count());
    }

    [Fact]
    public void Health_ManyFailuresAtOneTime_HasOneStrike()
    {
        var now = _mesh.Now;
        var failed = new FailedAttempt(new WorkerId("w1"), now, now);
        var health = default(WorkerHealth).AddFailure(now).AddFailure(now).AddStrike(failed, now, 5).AddStrike(failed, now, 5);

        Assert.Equal((2, 1, false), (health.Failures, health.Strikes, health.IsSetAside));
        Assert.True(health.CanReceiveTask(0, now + WorkerHealth.FirstPause));
        Assert.False(health.CanReceiveTask(1, now + WorkerHealth.FirstPause));
    }

    /// <summary>Lets a worker fail at tasks that another worker then completes, until it is set aside.</summary>
    private SessionId SetAside(string worker, string? home = null)
    {
        var (sick, good) = (_mesh.Ask(worker, home: home), _mesh.Ask("good"));
        for (var i = 0; i < 10_000 && !_mesh.Events.Any(happened => happened is WorkerSetAside); i++)
        {
            _mesh.Submit(i % 10 == 0 ? 2 : 0);
            Answer(sick, worker, _ => TaskOutcome.Nok, home);
            Answer(good, "good", _ => TaskOutcome.Ok);
            _mesh.Pass(Step);
        }

        Assert.Equal(WorkerState.SetAside, _mesh.WorkerOf(worker));
        for (var i = 0; i < 100; i++)
        {
            Answer(good, "good", _ => TaskOutcome.Ok);
            _mesh.Pass(Step);
        }

        _mesh.Close(good);
        return sick;
    }

    /// <summary>Answers the tasks that a worker has received since the last call, and requests as many new ones.</summary>
    private int Answer(SessionId session, string worker, Func<TaskId, TaskOutcome> outcome, string? home = null)
    {
        var given = _mesh.To(session).OfType<NewTask>().ToList();
        var heard = _heard.GetValueOrDefault(session);
        _heard[session] = given.Count;
        foreach (var task in given.Skip(heard))
        {
            _mesh.Say(session, new TaskStatus(outcome(task.Id!.Value), task.Type, new WorkerId(worker)) { Id = task.Id, Error = "broken" });
            _mesh.Ask(worker, session, home: home);
        }

        return given.Count - heard;
    }
}
