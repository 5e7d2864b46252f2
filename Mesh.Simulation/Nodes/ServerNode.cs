using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>A server of ours: its core, driven as Mesh.Server's loop drives it.</summary>
internal sealed class ServerNode : SimNode
{
    private Effects _effects = new();
    private readonly Random _random;
    private readonly ServerTimer _timer;
    private readonly TaskInvalidator _invalidator;
    private readonly Dictionary<ServerId, PeerLink> _links = [];
    private ServerCore? _core;
    private AdoptedServers? _adopted;
    private int _resumedCount;
    private NodeClock _clock;
    private bool _stopping;

    public ServerNode(SimWorld world, ServerSettings settings, SimStore store, Random random)
        : base(world, settings.Id.Value)
    {
        (Settings, Store, _random) = (settings, store, random);
        (Listener, Lease, Writer) = (new(world, this), new(world, this), new(world, this));
        (_timer, _invalidator) = (new(world, this), new(world, this));
        _clock = world.NewClock(random);
    }

    public ServerSettings Settings { get; }

    public SimStore Store { get; }

    public ServerListener Listener { get; }

    public SimLeaseRenewer Lease { get; }

    public ServerWriter Writer { get; }

    /// <summary>Null while it is down or waits for its store.</summary>
    public ServerCore? Core => IsUp ? _core : null;

    /// <summary>Its connection to the store; null as <see cref="Core"/> is.</summary>
    public SimStoreLink? Link { get; private set; }

    public DateTimeOffset Now => _clock.Now;

    public long Wakes => _timer.Wakes;

    public override void Stop()
    {
        if (_core is null)
        {
            Kill();
            return;
        }

        if (_stopping)
        {
            return;
        }

        _stopping = true;
        Log("stops");
        After(TimeSpan.FromSeconds(30), () => Kill());
        Feed((core, now) => core.OnStopping(now));
    }

    /// <summary>The process is held up and its machine is out of reach; after a while it goes on, whoever serves in its place by then.</summary>
    public void Freeze(TimeSpan time)
    {
        if (Core is not { } core)
        {
            Kill();
            return;
        }

        var frozen = new FrozenServer(World, this, core, _effects, Link!, Writer.IsBusy);
        var clock = _clock;
        (_effects, Link, Lease.PreviousProcessFrozen) = (new Effects(), null, true);
        Kill(silently: true);
        World.Scheduler.After(time, () =>
        {
            var id = new TaskId($"{Name}-thawed-{++_resumedCount}");
            frozen.Resume([new TaskRecord(id.Value, id, TaskType.Query, "Maria", null, 0)], clock.Now);
            Lease.PreviousProcessFrozen = false;
        });
    }

    public void Submit(ClientSubmission submission)
    {
        if (_core is null)
        {
            submission.Answer(null);
            return;
        }

        Feed((core, now) => core.OnSubmit(submission, now));
    }

    /// <summary>An operator has it return all workers that it has borrowed.</summary>
    public void ReturnLoans() => Feed((core, now) =>
    {
        switch (core.OnReturnLoans(now))
        {
            case LoanReturn.Started started:
                World.Coverage.Count(started.Workers.Count == 0 ? "operator: nothing to return" : "operator: workers are returned");
                break;
            case LoanReturn.StoreUnavailable:
                World.Coverage.Count("operator: the store is away");
                break;
            default:
                throw new InvalidOperationException("An outcome of a return is unknown.");
        }
    });

    /// <summary>Whether a task, of this server or an adopted one, is this process's to serve.</summary>
    public bool MayServe(ServerId? storedBy) => Link?.MayServe(storedBy) == true;

    public bool Adopts(ServerNode server) => Core is not null && Link!.Adopted.ContainsKey(new ServerId(server.Name));

    public void OnLinkFraming(ServerId peer, Framing framing) => _core?.OnPeerFraming(peer, framing);

    /// <summary>Takes up what the store holds.</summary>
    public void Serve(SimFencingToken fencingToken)
    {
        Link = new SimStoreLink(Store, fencingToken, World.Coverage);
        _adopted = new AdoptedServers(World, this, Link, After);
        var stored = Store.Load();
        Log($"takes up {stored.Tasks.Count} tasks and {stored.Loans.Count} loans");
        Guard(() => _core = new ServerCore(MutatedSettings.Of(Settings, World.Mutation), stored, _clock.Now, _random.Next(), _effects));
        Feed((_, _) => { });
    }

    /// <summary>Gives the core an input, does what it decides and stores what has gathered.</summary>
    public void Feed(Action<ServerCore, DateTimeOffset> input)
    {
        if (_core is not { } core)
        {
            return;
        }

        Guard(() =>
        {
            if (World.Mutation == Mutation.PausesIgnored)
            {
                foreach (var worker in World.AllWorkers)
                {
                    if (core.FindWorker(new WorkerId(worker.Name)) is { Health.IsLimited: true } paused)
                    {
                        paused.Health = paused.Health with { PausedUntil = default };
                    }
                }
            }

            input(core, _clock.Now);
            if (core.NextDueTime <= _clock.Now && World.Mutation != Mutation.TimeNotTold)
            {
                core.OnTimer(_clock.Now);
            }

            Perform();
            Writer.Write(core);
        });
        if (_stopping && !Writer.IsBusy && core.IsDrained)
        {
            After(ServerTimer.Resolution, () => Kill());
        }

        _timer.Arm(core, _clock);
    }

    /// <summary>What the core decided.</summary>
    public void Perform()
    {
        foreach (var happened in _effects.Events)
        {
            World.InvariantChecker.OnEvent(this, happened);
        }

        foreach (var send in _effects.Sends)
        {
            Listener.Send(send);
        }

        foreach (var send in _effects.PeerSends)
        {
            Log($"tells {send.Peer}", send.Message);
            _links[send.Peer].Send(send);
        }

        _adopted!.Perform(_effects);
        foreach (var task in _effects.Invalidations)
        {
            World.InvariantChecker.OnGivenUp(this, task);
            _invalidator.Invalidate(task);
        }

        if (World.Mutation == Mutation.FailuresForgotten)
        {
            foreach (var end in _effects.TaskEnds)
            {
                end.Task.ClearFailures();
            }
        }

        foreach (var (submission, outcome) in _effects.SubmissionResults)
        {
            World.InvariantChecker.OnAnswer(this, submission, outcome);
            ((ClientSubmission)submission).Answer(outcome);
        }

        _effects.Clear();
    }

    protected override void OnStart()
    {
        (_core, _stopping) = (null, false);
        Writer.Reset();
        _timer.Reset();
        _clock = World.NewClock(_random);
        Listener.Clear();
        _effects.Clear();
        _links.Clear();
        foreach (var peer in Settings.Peers)
        {
            _links.Add(peer.Id, new PeerLink(World, this, peer, Settings.Heartbeat.ReplyTimeout));
        }

        After(_random.Seconds(0.05, 1), Lease.Take);
    }

    protected override void OnKilled()
    {
        foreach (var link in _links.Values)
        {
            link.End();
        }

        _core = null;
        Link?.Abandon();
        Link = null;
        World.DataLossTracker.OnKilled(this);
    }
}
