using Mesh.Protocol;
using Mesh.Server.Core;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;

namespace Mesh.Simulation.Scale;

/// <summary>The core of a worker with connections that never fail and tasks that succeed.</summary>
internal sealed class ScaleWorker
{
    private static readonly TaskTypeSet Types = TaskTypeSet.QueryOnly;

    private readonly ScaleMesh _mesh;
    private readonly ScaleServer _home;
    private readonly WorkerCore _core;
    private readonly Random _random;
    private Connection? _connection;
    private int _link;
    private TimeSpan? _wakesAt;

    public ScaleWorker(ScaleMesh mesh, ScaleServer home, int number, int seed)
    {
        (_mesh, _home, _random) = (mesh, home, new Random(seed));
        var settings = new MeshWorkerSettings
        {
            WorkerId = $"{home.Settings.Id}-w{number}",
            HomeServer = new() { Id = home.Settings.Id.Value },
        };
        _core = new WorkerCore(settings, Types, _random);
    }

    public void Start() => Step(new WorkerInput.Start());

    private void Step(WorkerInput input)
    {
        foreach (var effect in _core.Step(input, _mesh.Elapsed))
        {
            Execute(effect);
        }

        if (_core.WakeAt is { } wake && !(wake >= _wakesAt))
        {
            var at = wake > _mesh.Elapsed ? wake : _mesh.Elapsed + TimeSpan.FromTicks(1);
            _wakesAt = at;
            _mesh.At(at, () => Wake(at));
        }
    }

    private void Wake(TimeSpan at)
    {
        if (_wakesAt == at)
        {
            _wakesAt = null;
            Step(new WorkerInput.TimerElapsed());
        }
    }

    private void Execute(WorkerEffect effect)
    {
        switch (effect)
        {
            case WorkerEffect.Dial dial:
                Dial(dial.Link, dial.ServerTarget.Borrower is { } borrower ? _mesh.Server(borrower) : _home);
                break;
            case WorkerEffect.Send send:
                Send(send.Message);
                break;
            case WorkerEffect.SendRunning running:
                Send(running.Status);
                break;
            case WorkerEffect.Close close:
                Close(close.Link);
                break;
            case WorkerEffect.RunAttempt run:
                _mesh.At(_mesh.Elapsed + ScaleRun.DrawWorkTime(_random), () => Step(new WorkerInput.AttemptEnded(run.Attempt, new AttemptResult(TaskOutcome.Ok, null, null, null))));
                break;
            case WorkerEffect.Report or WorkerEffect.CancelAttempt:
                break;
            case WorkerEffect.Stopped:
                throw new InvalidOperationException("No worker of this mesh stops.");
            default:
                throw new InvalidOperationException($"Unknown effect {effect}.");
        }
    }

    private void Dial(int link, ScaleServer server)
    {
        _link = link;
        _mesh.Deliver(() =>
        {
            if (_link != link)
            {
                return;
            }

            var connection = new Connection(server);
            connection.Session = server.Open(message => _mesh.Deliver(() => Receive(connection, link, message)));
            _connection = connection;
            Step(new WorkerInput.Connected(link));
        });
    }

    private void Send(MeshMessage message)
    {
        var (server, session) = (_connection!.Server, _connection.Session);
        _mesh.Deliver(() => server.Receive(session, message));
    }

    private void Receive(Connection connection, int link, MeshMessage message)
    {
        if (_connection == connection)
        {
            Step(new WorkerInput.Received(link, message));
        }
    }

    private void Close(int link)
    {
        var closed = _connection;
        (_connection, _link) = (null, 0);
        _mesh.Deliver(() =>
        {
            closed?.Server.Close(closed.Session);
            Step(closed is null ? new WorkerInput.DialFailed(link, SupportsOnlyLines: false, "given up") : new WorkerInput.Disconnected(link, "closed"));
        });
    }

    private sealed class Connection(ScaleServer server)
    {
        public ScaleServer Server { get; } = server;

        public SessionId Session { get; set; }
    }
}
