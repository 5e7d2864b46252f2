using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Foreign;
using Mesh.Simulation.Network;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;
using Mesh.Simulation.Time;
using MeshAspire.Worker;

namespace Mesh.Simulation;

/// <summary>A whole mesh, built from a plan.</summary>
internal sealed class SimWorld
{
    private readonly Dictionary<MeshEndpoint, string> _names;

    public SimWorld(SimulationPlan plan, Seeds seeds, int logCapacity, bool digest, Mutation mutation)
    {
        Mutation = mutation;
        Log = new StepLog(Scheduler, logCapacity, digest);
        Network = new SimNetwork(Scheduler, seeds.For("network"), Log, Coverage);
        DataLossTracker = new DataLossTracker(this);
        FollowUpCheck = new FollowUpCheck(this, seeds);
        ScheduleCheck = new ScheduleCheck(this);
        var shared = NewRedis("redis", seeds, isDurable: !plan.EverySecond);
        Ledger = new SimLedger(shared, mutation);
        foreach (var user in new[] { "Maria", "Joao", "Ana", "Pedro", "Carla" })
        {
            Ledger.Open(user, 100);
        }

        TriggeredFaults = new TriggeredFaults(Scheduler);
        InvariantChecker = new InvariantChecker(this);
        var (adoption, health, scheduling) = (seeds.For("adoption"), seeds.For("health"), seeds.For("scheduling"));
        var ours = plan.Servers.Select((server, index) => (Plan: server, Peer: new PeerSettings(Id("server", index), At(1, index)))).ToList();
        var foreign = plan.Foreign.Select((server, index) => (Plan: server, Peer: new PeerSettings(Id("SERVER", index), At(2, index)))).ToList();
        var all = ours.Select(server => server.Peer).Concat(foreign.Select(server => server.Peer)).ToList();
        foreach (var (server, peer) in ours)
        {
            TimeSpan? adoptAfter = adoption.Chance(0.6) ? adoption.Seconds(2, 20) : null;
            var tasks = server.Settings.Tasks with { SetAsideAfter = health.From(1, 5), PriorityAge = scheduling.Chance(0.1) ? TimeSpan.Zero : scheduling.Seconds(0.1, 3) };
            var settings = server.Settings with { Tasks = tasks, Adoption = new AdoptionOptions { After = adoptAfter ?? TimeSpan.Zero }, Id = peer.Id, Advertise = peer.Endpoint, Peers = [.. all.Where(other => other != peer)] };
            var store = new SimStore(server.OwnRedis ? NewRedis($"redis-{peer.Id}", seeds, isDurable: !plan.EverySecond) : shared, mutation);
            Servers.Add(new ServerNode(this, settings, store, seeds.For(peer.Id.Value)));
            var owner = Servers[^1];
            store.ScheduleWritten = op => ScheduleCheck.OnWritten(owner, op);
            store.DeadLetterChanged = op => InvariantChecker.DeadLetters.OnChanged(owner, op);
            Network.Listen(peer.Endpoint, Servers[^1].Listener);
            AddWorkers(peer, server.Workers, server.ForeignWorkers, plan.Work, seeds);
        }

        foreach (var (server, peer) in foreign)
        {
            var peers = all.Where(other => other != peer).Select(other => (other.Id, other.Endpoint)).ToList();
            ForeignServers.Add(new ForeignServer(this, peer.Id, peer.Endpoint, peers, server.ForeignServerBehavior, seeds.For(peer.Id.Value)));
            Network.Listen(peer.Endpoint, ForeignServers[^1]);
            var lineWorkers = Enumerable.Repeat(new WorkerPlan(UsesLineFraming: true, 1, Refuses: false, WorkloadTypes.All), server.LineWorkersOfOurs).ToList();
            AddWorkers(peer, lineWorkers, server.Workers, plan.Work, seeds);
        }

        _names = all.ToDictionary(peer => peer.Endpoint, peer => peer.Id.Value);
        if (plan.AllowsDefects)
        {
            AddDefect(seeds.For("sickness"));
        }

        Clients.AddRange(Servers.Select(server => new Client(
            this,
            server,
            plan.MaxBurst,
            seeds.For($"client of {server.Name}"),
            new TaskVariation(server, seeds.For($"tasks of {server.Name}")),
            seeds.For($"types of {server.Name}"),
            new CancellingClient(this, server, seeds.For($"canceller of {server.Name}")),
            seeds.For($"limits of {server.Name}"))));
        DeadLetterClients.AddRange(Servers.Select(server => new DeadLetterClient(this, server, seeds.For($"dead letters of {server.Name}"))));
        if (seeds.For("cron").Chance(0.5))
        {
            ScheduleClients.AddRange(Servers.Select(server => new ScheduleClient(this, server, seeds.For($"schedules of {server.Name}"))));
        }

        Nodes = [.. Servers, .. ForeignServers, .. Workers, .. ForeignWorkers];
        AllWorkers = [.. Workers, .. ForeignWorkers];
    }

    public Mutation Mutation { get; }

    public Scheduler Scheduler { get; } = new();

    public Coverage Coverage { get; } = new();

    public StepLog Log { get; }

    public SimNetwork Network { get; }

    public SimLedger Ledger { get; }

    public InvariantChecker InvariantChecker { get; }

    public DataLossTracker DataLossTracker { get; }

    public FollowUpCheck FollowUpCheck { get; }

    public ScheduleCheck ScheduleCheck { get; }

    public TriggeredFaults TriggeredFaults { get; }

    public List<SimRedis> Redises { get; } = [];

    public List<ServerNode> Servers { get; } = [];

    public List<ForeignServer> ForeignServers { get; } = [];

    public List<WorkerNode> Workers { get; } = [];

    public List<ForeignWorker> ForeignWorkers { get; } = [];

    public List<Client> Clients { get; } = [];

    /// <summary>The clients that retry or delete all dead letters.</summary>
    public List<DeadLetterClient> DeadLetterClients { get; } = [];

    /// <summary>The clients that put schedules. Half of the lives have them.</summary>
    public List<ScheduleClient> ScheduleClients { get; } = [];

    public IReadOnlyList<SimNode> AllWorkers { get; }

    public IReadOnlyList<SimNode> Nodes { get; }

    /// <summary>Ends all processes when the life is over, so that nothing of it runs on any thread.</summary>
    public void End() => Servers.ForEach(server => server.EndAll());

    public string ServerAt(MeshEndpoint endpoint) => _names[endpoint];

    /// <summary>The task types that a worker handles.</summary>
    public TaskTypeSet TypesOf(WorkerId worker) => Workers.Find(ours => ours.Name == worker.Value)?.Types ?? TaskTypeSet.QueryOnly;

    /// <summary>Creates the clock of a process that starts now. Its time and its rate are slightly wrong.</summary>
    public NodeClock NewClock(Random random)
    {
        // In some cases a clock is set by hours between two starts.
        var offset = random.Chance(0.15) ? random.Seconds(0, 7200) : random.Seconds(3600, 3606);
        return new(Scheduler, offset, random.From(0.995, 1.005));
    }

    private static ServerId Id(string prefix, int index) => new(prefix == "SERVER"
        ? string.Create(CultureInfo.InvariantCulture, $"SERVER_{index + 1}")
        : $"server-{(char)('a' + index)}");

    private static MeshEndpoint At(int net, int index) => new(string.Create(CultureInfo.InvariantCulture, $"10.0.{net}.{index + 1}"), 9001 + index);

    private SimRedis NewRedis(string name, Seeds seeds, bool isDurable)
    {
        var redis = new SimRedis(name, Scheduler, seeds.For(name), isDurable);
        Redises.Add(redis);
        return redis;
    }

    /// <summary>In some lives one worker fails at its tasks or never answers.</summary>
    private void AddDefect(Random random)
    {
        if (random.Chance(0.25))
        {
            var home = random.Pick(Servers);
            random.Pick([.. Workers.Where(worker => worker.Home == home.Name)]).WorkerDefect = random.Chance(0.5) ? WorkerDefect.FailsImmediately : WorkerDefect.NeverReports;
        }
    }

    private void AddWorkers(PeerSettings home, IReadOnlyList<WorkerPlan> workers, int foreign, WorkPlan work, Seeds seeds)
    {
        for (var i = 0; i < workers.Count; i++)
        {
            var options = new MeshWorkerSettings
            {
                WorkerId = $"W{Workers.Count + 1}-{home.Id}",
                HomeServer = new() { Id = home.Id.Value },
                Transport = workers[i].UsesLineFraming ? WorkerTransport.Tcp : WorkerTransport.WebSocket,
                Concurrency = workers[i].Concurrency,
                RunningInterval = seeds.For($"interval of W{Workers.Count + 1}").Seconds(1, 4.5),
                Redirect = new() { Allowed = workers[i].Refuses ? ["nowhere"] : [] },
            };
            Workers.Add(new WorkerNode(this, options, workers[i].Types, home.Endpoint, work, seeds.For(options.WorkerId)));
        }

        for (var i = 0; i < foreign; i++)
        {
            var id = new WorkerId($"F{ForeignWorkers.Count + 1}-{home.Id}");
            ForeignWorkers.Add(new ForeignWorker(this, id, home.Id, home.Endpoint, seeds.For(id.Value)));
        }
    }
}
