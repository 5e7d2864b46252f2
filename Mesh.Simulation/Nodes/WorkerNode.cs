using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Network;
using Mesh.Simulation.Time;
using Mesh.Worker.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Nodes;

/// <summary>One of our workers: its core, driven as the loop of Mesh.Worker drives it.</summary>
internal sealed class WorkerNode : SimNode
{
    private readonly WorkerOptions _options;
    private readonly MeshEndpoint _home;
    private readonly Random _random;
    private readonly WorkPlan _work;
    private readonly Dictionary<int, WorkerAttempt> _attempts = [];
    private readonly List<Action> _exchanges = [];
    private WorkerCore _core = null!;
    private NodeClock _clock = null!;
    private SimConnection? _connection;
    private int _link;
    private ServerTarget _serverTarget = new(null, Framing.WebSocket);
    private long _timer;

    public WorkerNode(SimWorld world, WorkerOptions options, MeshEndpoint home, WorkPlan work, Random random)
        : base(world, options.WorkerId) =>
        (_options, _home, _work, _random) = (options, home, work, random);

    /// <summary>The server that it belongs to.</summary>
    public string Home => _options.HomeServer.Id;

    public bool IsHome => IsUp && _serverTarget.IsHome;

    /// <summary>True while it obeys a REDIRECT and has not left yet.</summary>
    public bool IsLeaving { get; private set; }

    public int RunningAttempts => _attempts.Count;

    public bool UsesLineFraming => _options.Framing == Framing.Line;

    public int Concurrency => _options.Concurrency;

    public long Wakes { get; private set; }

    public WorkerDefect WorkerDefect { get; set; }

    private MeshEndpoint Target => _serverTarget.Borrower ?? _home;

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
        _exchanges.Clear();
        _connection = null;
        _link = 0;
        IsLeaving = false;
        _clock = World.NewClock(_random);
        _core = new WorkerCore(World.Mutation == Mutation.BorrowerNeverGivenUp ? WithoutBorrowerTimeout(_options) : _options, TaskTypes.All, new Random(_random.Next()));
        After(_random.Seconds(0.01, 0.5), () => Step(new WorkerInput.Start()));
    }

    protected override void OnKilled()
    {
        foreach (var attempt in _attempts.Values)
        {
            attempt.OnProcessEnded();
        }

        _exchanges.Clear();
    }

    private static WorkerOptions WithoutBorrowerTimeout(WorkerOptions options) =>
        options with { Timing = options.Timing with { BorrowerTimeout = TimeSpan.FromDays(1) } };

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
                (_link, _serverTarget, IsLeaving) = (dial.Link, dial.ServerTarget, false);
                Dial(dial.Link);
                break;
            case WorkerEffect.Send send:
                Log($"tells {Target}", send.Message);
                Send(send.Link, send.Message);
                break;
            case WorkerEffect.Close close:
                Close(close.Link);
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
                if (report.Event is WorkerEvent.AttemptsAbandoned && World.Mutation == Mutation.AbandonedForgotten)
                {
                    ForgetAttempts();
                }

                break;
            case WorkerEffect.Stopped:
                After(TimeSpan.Zero, () => Kill());
                break;
            default:
                throw new InvalidOperationException($"Unknown effect {effect}.");
        }
    }

    private void Dial(int link)
    {
        if (_serverTarget.Framing == Framing.Line)
        {
            After(TimeSpan.Zero, () => Step(new WorkerInput.Connected(link)));
            return;
        }

        var connected = IgnoreAfterRestart<SimConnection>(connection => OnConnected(link, connection));
        World.Network.Dial(
            Name,
            Target,
            connection =>
            {
                connected(connection);
                if (_connection != connection)
                {
                    connection.CloseFromClient();
                }
            },
            IgnoreAfterRestart<bool, string>((lines, why) =>
            {
                if (_link == link)
                {
                    _link = 0;
                    Step(new WorkerInput.DialFailed(link, lines, why));
                }
            }));
    }

    private void OnConnected(int link, SimConnection connection)
    {
        if (_link != link)
        {
            return;
        }

        _connection = connection;
        connection.ClientReceives = IgnoreAfterRestart<MeshMessage>(message =>
        {
            Log($"hears {connection.Listener.Name}", message);
            Step(new WorkerInput.Received(link, message));
        });
        connection.ClientCloses = IgnoreAfterRestart<string>(why => OnClosed(link, connection, why));
        Step(new WorkerInput.Connected(link));
    }

    private void OnClosed(int link, SimConnection connection, string why)
    {
        if (_connection == connection)
        {
            _connection = null;
            _link = 0;
            Log($"loses {connection.Listener.Name}: {why}");
            Step(new WorkerInput.Disconnected(link, why));
        }
    }

    private void Send(int link, MeshMessage message)
    {
        if (_serverTarget.Framing != Framing.Line)
        {
            _connection!.SendToServer(message);
            return;
        }

        var answered = IgnoreAfterRestart<MeshMessage?, string>((reply, why) =>
        {
            if (_link == link)
            {
                Log($"hears {Target} {why}", reply);
                Step((message, reply) switch
                {
                    (GetTask, NewTask or NoTask or Redirect or Return or Rejection) => new WorkerInput.Received(link, reply),
                    (TaskStatus status, Ack ack) => new WorkerInput.Received(link, ack with { Id = status.Id }),
                    _ => new WorkerInput.ExchangeFailed(link, message, why),
                });
            }
        });
        _exchanges.Add(World.Network.Exchange(Name, Target, message, answered));
    }

    private void Close(int link)
    {
        if (_link != link)
        {
            return;
        }

        _link = 0;
        foreach (var giveUp in _exchanges)
        {
            giveUp();
        }

        _exchanges.Clear();
        var connection = _connection;
        _connection = null;
        connection?.CloseFromClient();
        var dialing = connection is null && _serverTarget.Framing != Framing.Line;
        After(_random.Seconds(0.0005, connection is null ? 0.001 : 0.5), () => Step(dialing
            ? new WorkerInput.DialFailed(link, SupportsOnlyLines: false, "given up")
            : new WorkerInput.Disconnected(link, "Done")));
    }

    private void Run(int key, NewTask task)
    {
        var server = World.ServerAt(Target);
        if (_attempts.Values.FirstOrDefault(other => other.Server != server) is { } other)
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
            After(TimeSpan.Zero, () => Step(new WorkerInput.AttemptEnded(key, new(TaskOutcome.Nok, null, "early", null))));
        }

        World.TriggeredFaults.OnTask(this);
    }

    /// <summary>Tells the core that all attempts have ended, although they continue.</summary>
    private void ForgetAttempts()
    {
        foreach (var key in _attempts.Keys)
        {
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
