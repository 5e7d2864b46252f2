using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Simulation.Stores;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>One of our servers. Its processes follow each other.</summary>
internal sealed class ServerNode : SimNode
{
    /// <summary>How long a resumed process runs beside the process that took its place.</summary>
    private static readonly TimeSpan FrozenServerLife = TimeSpan.FromSeconds(3);

    private readonly Random _random;

    /// <summary>The processes that run or are suspended, by id.</summary>
    private readonly SortedDictionary<int, ServerProcess> _processes = [];
    private ServerProcess? _process;
    private int _lastId;
    private int _resumedCount;
    private NodeClock _clock;
    private bool _stopping;

    public ServerNode(SimWorld world, ServerSettings settings, SimStore store, Random random)
        : base(world, settings.Id.Value)
    {
        (Settings, Store, Peers, _random) = (settings, store, settings.Peers, random);
        (Listener, Timer) = (new(world, this), new(world, this));
        _clock = world.NewClock(random);
    }

    public ServerSettings Settings { get; }

    /// <summary>The configured peers. They can differ from those at the start.</summary>
    public IReadOnlyList<PeerSettings> Peers { get; private set; }

    public SimStore Store { get; }

    public ServerListener Listener { get; }

    public ServerTimer Timer { get; }

    /// <summary>Null while the server is down or waits for its store, and once it has stopped.</summary>
    public ServerCore? Core => _process?.Core;

    /// <summary>The number of links to peers of the current process.</summary>
    public int Links => _process?.Links ?? 0;

    public DateTimeOffset Now => _clock.Now;

    /// <summary>The time since the stored state was loaded. Zero while there is no core.</summary>
    public TimeSpan ServingFor => _process is { Core: not null } process ? World.Scheduler.Now - process.ServingSince : TimeSpan.Zero;

    public override void Stop()
    {
        if (Core is null)
        {
            Kill();
            return;
        }

        if (!_stopping)
        {
            _stopping = true;
            Log("stops");
            After(TimeSpan.FromSeconds(30), () => Kill());
            Feed(new(LoopInputKind.Stop));
        }
    }

    /// <summary>Suspends the process, and cuts its machine off. After the time it resumes, although another process may serve in its place.</summary>
    public void Freeze(TimeSpan time)
    {
        if (Core is null)
        {
            Kill();
            return;
        }

        var frozen = _process!;
        _process = null;
        frozen.Hold();
        Kill(silently: true);
        World.Scheduler.After(time, () =>
        {
            Log("goes on, having been held up");
            var id = new TaskId($"{Name}-thawed-{++_resumedCount}");
            frozen.Resume(new ClientSubmission([new TaskRecord(id.Value, id, TaskType.Query, "Maria", null, 0)], isDeadLetterRetry: false, _ => { }));
            World.Scheduler.After(FrozenServerLife, frozen.End);
        });
    }

    public void Submit(ClientSubmission submission)
    {
        if (Core is null)
        {
            submission.Answer(null);
            return;
        }

        Feed(new(LoopInputKind.Submit) { Subject = submission });
    }

    public void Cancel(ClientCancel request)
    {
        if (Core is null)
        {
            request.Answer(null);
            return;
        }

        Feed(new(LoopInputKind.Cancel) { Subject = request });
    }

    public void Change(DeadLetterRequest request)
    {
        if (Core is null)
        {
            request.Answer(null);
            return;
        }

        _process!.Change(request);
    }

    /// <summary>An operator changes the peers in the configuration.</summary>
    public void ChangePeers(IReadOnlyList<PeerSettings> peers)
    {
        Log($"gets the peers {string.Join(", ", peers.Select(peer => $"{peer.Id} at {peer.Endpoint}"))}");
        Peers = peers;
        Feed(new(LoopInputKind.PeersChanged) { Subject = peers });
    }

    /// <summary>An operator gives a command.</summary>
    public void Command(Action<ServerCore, DateTimeOffset> command) => Feed(new(LoopInputKind.Command)
    {
        Subject = new CoreCommand<bool>((core, now) =>
        {
            command(core, now);
            return true;
        }),
    });

    /// <summary>An operator has the server return all workers that it has borrowed.</summary>
    public void ReturnLoans() => Command((core, now) =>
    {
        var workers = core.OnReturnLoans(now);
        World.Coverage.Count(workers is null ? "operator: the store is away" : workers.Count == 0 ? "operator: nothing to return" : "operator: workers are returned");
    });

    /// <summary>Whether the current process may serve a task of this server, or of an adopted one.</summary>
    public bool MayServe(ServerId? storedBy) => _process?.Store.MayServe(storedBy) == true;

    /// <summary>Whether the store has gone back to before the lease of the current process. Until this process accepts that, an earlier one, which was suspended, can write.</summary>
    public bool HasStoreLostLease => _process is { Core: not null } process && process.Store.HasLostLease;

    public bool Adopts(ServerNode server) => _process is { Core: not null } process && process.Store.Adopts(new ServerId(server.Name));

    /// <summary>Gives the process an input.</summary>
    public void Feed(in LoopInput item) => _process?.Feed(item);

    /// <summary>Ends the process, which cannot serve without its lease, and starts a new one later.</summary>
    public void LoseClaim(string why)
    {
        Log(why);
        World.Coverage.Count($"server: {why}");
        Kill();
        World.Scheduler.After(TimeSpan.FromSeconds(1), Start);
    }

    /// <summary>A process of this server has ended.</summary>
    public void OnEnded(ServerProcess process) => _processes.Remove(process.Id);

    public void EndAll()
    {
        foreach (var process in _processes.Values.ToArray())
        {
            process.End();
        }
    }

    protected override void OnStart()
    {
        _stopping = false;
        Timer.Reset();
        _clock = World.NewClock(_random);
        Listener.Clear();
        var id = ++_lastId;
        var process = _process = new ServerProcess(World, this, id, _clock, new Processes(this, id), _random.Next());
        _processes.Add(id, process);
        After(_random.Seconds(0.05, 1), process.Begin);
    }

    protected override void OnKilled()
    {
        _process?.End();
        _process = null;
        World.DataLossTracker.OnKilled(this);
    }

    /// <summary>The process table of this server's machine, as one of its processes sees it.</summary>
    private sealed class Processes(ServerNode node, int own) : IProcessTable
    {
        public ProcessIdentity? Own { get; } = new(node.Name, own, "");

        public bool HasExited(ProcessIdentity process) => process.Place == node.Name && !node._processes.ContainsKey(process.Id);
    }
}
