using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;

namespace Mesh.Simulation.Nodes;

/// <summary>One of our workers: its core, driven as the loop of Mesh.Worker drives it.</summary>
internal sealed class WorkerNode : SimNode
{
    private readonly MeshWorkerSettings _options;
    private readonly Random _random;
    private readonly WorkPlan _work;
    private readonly Dictionary<int, WorkerAttempt> _attempts = [];
    private readonly WorkerConnection _connection;
    private WorkerCore _core = null!;
    private NodeClock _clock = null!;
    private long _timer;

    public WorkerNode(SimWorld world, MeshWorkerSettings options, TaskTypeSet types, MeshEndpoint home, WorkPlan work, Random random)
        : base(world, options.WorkerId)
    {
        (_options, Types, _work, _random) = (options, types, work, random);
        _connection = new WorkerConnection(this, world.Network, home, random, Step);
    }

    /// <summary>The task types that it handles.</summary>
    public TaskTypeSet Types { get; }

    /// <summary>The server that it belongs to.</summary>
    public string Home => _options.HomeServer.Id;

    public bool IsHome => IsUp && _connection.Target.IsHome;

    /// <summary>True while it obeys a REDIRECT and has not left yet.</summary>
    public bool IsLeaving { get; private set; }

    public int RunningAttempts => _attempts.Count;

    /// <summary>True while it runs an attempt that takes longer than a task lease.</summary>
    public bool RunsLongAttempt => _attempts.Values.Any(attempt => attempt.IsLong);

    public bool UsesLineFraming => _options.Framing == Framing.Line;

    public int Concurrency => _options.Concurrency;

    public long Wakes { get; private set; }

    public WorkerDefect WorkerDefect { get; set; }

    /// <summary>Ends the fault of the worker. Tasks that it has not answered fail.</summary>
    public void ClearFaults()
    {
        if (WorkerDefect == WorkerDefect.NeverReports)
        {
            foreach (var attempt in _attempts.Values)
            {
                attempt.Cancel();
            }
        }

        WorkerDefect = WorkerDefect.None;
    }

    public override void Stop()
    {
        if (IsUp)
        {
            Step(new WorkerInput.StopRequested());
        }
    }

    protected override void OnStart()
    {
        _attempts.Clear();
        _connection.Reset();
        IsLeaving = false;
        _clock = World.NewClock(_random);
        if (World.Mutation == Mutation.BorrowerNeverGivenUp)
        {
            _options.Timing = _options.Timing with { BorrowerTimeout = TimeSpan.FromDays(1) };
        }

        _core = new WorkerCore(_options, Types, new Random(_random.Next()));
        After(_random.Seconds(0.01, 0.5), () => Step(new WorkerInput.Start()));
    }

    protected override void OnKilled()
    {
        foreach (var attempt in _attempts.Values)
        {
            attempt.OnProcessEnded();
        }

        _connection.OnProcessEnded();
    }

    private void Step(WorkerInput input)
    {
        Guard(() =>
        {
            foreach (var effect in _core.Step(input, _clock.Elapsed))
            {
                Execute(effect);
            }
        });
        Arm();
    }

    private void Execute(WorkerEffect effect)
    {
        switch (effect)
        {
            case WorkerEffect.Dial dial:
                IsLeaving = false;
                _connection.Dial(dial.Link, dial.ServerTarget);
                break;
            case WorkerEffect.Send send:
                _connection.Send(send.Link, send.Message);
                break;
            case WorkerEffect.SendRunning running when WorkerDefect != WorkerDefect.NeverReports:
                World.Coverage.Count("running: sent");
                _connection.Send(running.Link, running.Status with { Progress = _attempts[running.Attempt].Progress });
                break;
            case WorkerEffect.SendRunning:
                break;
            case WorkerEffect.Close close:
                _connection.Close(close.Link);
                break;
            case WorkerEffect.RunAttempt run:
                Run(run.Attempt, run.Task);
                break;
            case WorkerEffect.CancelAttempt cancel:
                _attempts[cancel.Attempt].Cancel();
                break;
            case WorkerEffect.Report report:
                Log("says", report.Event);
                IsLeaving |= report.Event is WorkerEvent.RedirectAccepted;
                World.Coverage.Count($"worker: {report.Event.GetType().Name}");
                if (report.Event is WorkerEvent.AttemptsAbandoned)
                {
                    OnAbandoned();
                }

                break;
            case WorkerEffect.Stopped:
                After(TimeSpan.Zero, () => Kill());
                break;
            default:
                throw new InvalidOperationException($"Unknown effect {effect}.");
        }
    }

    private void Run(int key, NewTask task)
    {
        var server = World.ServerAt(_connection.Endpoint);
        if (_attempts.Values.Count(running => !running.IsReportedEarly) >= Concurrency)
        {
            throw new InvariantViolation(Invariant.SlotsKept, $"{Name} takes {task.Id} of {server} while all of its {Concurrency} slots are occupied");
        }

        if (_attempts.Values.FirstOrDefault(other => other.Server != server && !other.IsAbandoned) is { } other)
        {
            throw new InvariantViolation(Invariant.OneHolderPerWorker, $"{Name} takes {task.Id} of {server} while it works on {other.Task.Id} of {other.Server}");
        }

        var attempt = new WorkerAttempt(World, server, task, _random, _work, IgnoreAfterRestart<AttemptResult>(result =>
        {
            _attempts.Remove(key);
            Log($"ends {task.Id}: {result.Outcome} {result.Error}");
            Step(new WorkerInput.AttemptEnded(key, result));
        }));
        _attempts.Add(key, attempt);
        switch (WorkerDefect)
        {
            case WorkerDefect.None:
                attempt.Begin();
                break;
            case WorkerDefect.FailsImmediately:
                World.Coverage.Count("sick worker: fails at once");
                After(TimeSpan.FromMilliseconds(1), attempt.Fail);
                break;
            case WorkerDefect.NeverReports:
                World.Coverage.Count("sick worker: never answers");
                break;
            default:
                throw new InvalidOperationException($"WorkerDefect {WorkerDefect} is unknown.");
        }

        if (World.Mutation == Mutation.LeavesWithTasks)
        {
            attempt.IsReportedEarly = true;
            After(TimeSpan.Zero, () => Step(new WorkerInput.AttemptEnded(key, new(TaskOutcome.Nok, null, "early", null))));
        }

        World.TriggeredFaults.OnTask(this);
    }

    private void OnAbandoned()
    {
        foreach (var (key, attempt) in _attempts)
        {
            World.Coverage.Count(_attempts.Count < Concurrency ? "worker: abandons a task and has other slots" : "worker: abandons a task and has no other slot");
            attempt.IsAbandoned = true;
            if (World.Mutation != Mutation.AbandonedForgotten)
            {
                continue;
            }

            // The core is told that the attempt has ended, although it continues.
            After(TimeSpan.Zero, () => Step(new WorkerInput.AttemptEnded(key, new(TaskOutcome.Nok, null, "forgotten", null))));
        }
    }

    private void Arm()
    {
        var timer = ++_timer;
        if (_core.WakeAt is { } wake)
        {
            var due = _clock.ToSchedulerTime(wake);
            var soonest = World.Scheduler.Now + TimeSpan.FromTicks(1);
            At(due > soonest ? due : soonest, () =>
            {
                if (timer == _timer)
                {
                    Wakes++;
                    Step(new WorkerInput.TimerElapsed());
                }
            });
        }
    }
}
