using System.Collections.Frozen;
using Mesh.Protocol;
using Mesh.Server.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation;

/// <summary>A server of ours: its core, driven as Mesh.Server's loop drives it.</summary>
internal sealed class ServerNode : SimNode, IListener
{
    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private Effects _effects = new();
    private readonly Random _random;
    private readonly Dictionary<SessionId, SimConnection> _sessions = [];
    /// <summary>The statuses that await an ACK, in their order: a worker may report two attempts at one task before the first is acknowledged.</summary>
    private readonly Dictionary<(SessionId, TaskId), Queue<TaskOutcome>> _reported = [];
    private readonly Dictionary<ServerId, PeerLink> _links = [];
    private ServerCore? _core;
    private SimStoreLink? _link;
    private AdoptedServers? _adopted;
    private long _epoch;
    private bool _frozen;
    private int _thawed;
    private NodeClock _clock;
    private DateTimeOffset? _armed;
    private long _timer;
    private long _session;
    private bool _writing;
    private TimeSpan _writeDelay;
    private bool _stopping;
    private TimeSpan _lastWake;
    private int _wakesAtOnce;

    public ServerNode(SimWorld world, ServerSettings settings, SimStore store, Random random)
        : base(world, settings.Id.Value)
    {
        (Settings, Store, _random) = (settings, store, random);
        _clock = world.NewClock(random);
    }

    public ServerSettings Settings { get; }

    public SimStore Store { get; }

    public bool SpeaksWebSocket => true;

    /// <summary>Null while it is down or waits for its store.</summary>
    public ServerCore? Core => IsUp ? _core : null;

    public long Wakes { get; private set; }

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

        var frozen = new FrozenServer(World, this, core, _effects, _link!);
        var clock = _clock;
        (_effects, _link, _frozen) = (new Effects(), null, true);
        Kill(silently: true);
        World.Scheduler.After(time, () =>
        {
            var id = new TaskId($"{Name}-thawed-{++_thawed}");
            frozen.GoOn([new TaskRecord(id.Value, id, TaskType.Query, "Maria", null, 0)], clock.Now);
            _frozen = false;
        });
    }

    public void OnOpened(SimConnection connection)
    {
        connection.Number = ++_session;
        _sessions.Add(new SessionId(_session), connection);
    }

    public void OnMessage(SimConnection connection, MeshMessage message)
    {
        if (_core is null)
        {
            connection.CloseFromServer();
            return;
        }

        var session = new SessionId(connection.Number);
        Log($"hears {connection.Client}#{session.Value}", message);
        if (message is TaskStatus { Id: { } task } status)
        {
            if (!_reported.TryGetValue((session, task), out var outcomes))
            {
                _reported.Add((session, task), outcomes = new());
            }

            outcomes.Enqueue(status.Outcome);
        }

        if (World.Mutation == Mutation.TypesIgnored && message is GetTask ask)
        {
            message = ask with { Tasks = TaskTypes.All };
        }

        Feed((core, now) => core.OnMessage(session, connection.Framing, message, now));
    }

    public void OnClosed(SimConnection connection)
    {
        var session = new SessionId(connection.Number);
        if (World.Mutation != Mutation.CloseNotTold && _sessions.Remove(session) && _core is not null)
        {
            Feed((core, now) => core.OnSessionClosed(session, now));
        }
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

    /// <summary>Whether a task, of this server or an adopted one, is this process's to serve.</summary>
    public bool MayServe(ServerId? keeper) => _link?.MayServe(keeper) == true;

    public bool Adopts(ServerNode server) => Core is not null && _link!.Adopted.ContainsKey(new ServerId(server.Name));

    public void OnAdopted(ServerId server, StoredState stored)
    {
        Log($"adopts {stored.Tasks.Count} tasks of {server}");
        Feed((core, now) => core.OnAdopted(server, stored, now));
    }

    public void OnAdoptionRefused(ServerId server) => Feed((core, now) => core.OnAdoptionRefused(server, now));

    public void OnDisowned(ServerId server)
    {
        Log($"gives up {server}");
        Feed((core, now) => core.OnDisowned(server, now));
    }

    public void Note(string what) => Log(what);

    public void OnLinkReply(ServerId peer, MeshMessage reply) => Feed((core, now) => core.OnPeerReply(peer, reply, now));

    public void OnLinkFailed(ServerId peer, MeshMessage request, string reason) => Feed((core, now) => core.OnPeerFailed(peer, request, reason, now));

    public void OnLinkFraming(ServerId peer, Framing framing) => _core?.OnPeerFraming(peer, framing);

    protected override void OnStart()
    {
        (_core, _armed, _writing, _stopping, _writeDelay) = (null, null, false, false, TimeSpan.Zero);
        _clock = World.NewClock(_random);
        _sessions.Clear();
        _reported.Clear();
        _effects.Clear();
        _links.Clear();
        foreach (var peer in Settings.Peers)
        {
            _links.Add(peer.Id, new PeerLink(World, this, peer, Settings.Heartbeat.ReplyTimeout));
        }

        After(_random.Seconds(0.05, 1), Load);
    }

    protected override void OnKilled()
    {
        foreach (var link in _links.Values)
        {
            link.End();
        }

        _core = null;
        _link?.Abandon();
        _link = null;
    }

    private ServerSettings Mutated(ServerSettings settings) => World.Mutation switch
    {
        Mutation.LeaseNeverEnds => settings with { Tasks = settings.Tasks with { LeaseTime = TimeSpan.FromDays(1) } },
        Mutation.GoneWorkerKept => settings with { Tasks = settings.Tasks with { WorkerGrace = TimeSpan.FromDays(1), LineWorkerTimeout = TimeSpan.FromDays(1), LeaseTime = TimeSpan.FromDays(1) } },
        Mutation.MinimumIgnored => settings with { Balancing = settings.Balancing with { MinWorkersBeforeSharing = 0 } },
        Mutation.ReleaseNotRepeated => settings with { Loans = settings.Loans with { ReleaseRetryDelay = TimeSpan.FromDays(1), ReleaseRetryMaxDelay = TimeSpan.FromDays(1) } },
        Mutation.NotHeld => settings with { Tasks = settings.Tasks with { HoldTime = TimeSpan.FromMilliseconds(1) } },
        _ => settings,
    };

    private void Load()
    {
        if (!Store.Redis.IsUp)
        {
            After(TimeSpan.FromSeconds(1), Load);
            return;
        }

        // That its last process is gone it knows, unless that runs elsewhere.
        if (Store.TryClaim(byOwner: true, holderIsGone: !_frozen && Store.Epoch == _epoch) is not { } epoch)
        {
            World.Coverage.Count("server: waits for its claim");
            After(TimeSpan.FromSeconds(0.5), Load);
            return;
        }

        _epoch = epoch;
        _link = new SimStoreLink(Store, epoch, World.Coverage);
        _adopted = new AdoptedServers(World, this, _link, After);
        RenewClaim(epoch);
        var stored = Store.Load();
        Log($"takes up {stored.Tasks.Count} tasks and {stored.Loans.Count} loans");
        Guard(() => _core = new ServerCore(Mutated(Settings), stored, _clock.Now, _random.Next(), _effects));
        Feed((_, _) => { });
    }

    private void RenewClaim(long epoch) => After(SimStore.ClaimExpiry / 3, () =>
    {
        if (!Store.Redis.IsUp || Store.Renew(epoch))
        {
            RenewClaim(epoch);
        }
        else
        {
            LoseClaim();
        }
    });

    /// <summary>As the process ends, and is started again by whoever looks after it.</summary>
    private void LoseClaim()
    {
        Log("has lost its claim");
        World.Coverage.Count("server: lost its claim");
        Kill();
        World.Scheduler.After(TimeSpan.FromSeconds(1), Start);
    }

    private void Feed(Action<ServerCore, DateTimeOffset> input)
    {
        if (_core is not { } core)
        {
            return;
        }

        Guard(() =>
        {
            input(core, _clock.Now);
            if (core.NextWake <= _clock.Now)
            {
                core.OnTimer(_clock.Now);
            }

            Perform();
            Write(core);
        });
        if (_stopping && !_writing && core.IsDrained)
        {
            After(TimerResolution, () => Kill());
        }

        Arm(core);
    }

    private void Perform()
    {
        foreach (var happened in _effects.Events)
        {
            World.Observer.OnEvent(this, happened);
        }

        foreach (var send in _effects.Sends)
        {
            if (_sessions.TryGetValue(send.Session, out var connection))
            {
                var (session, message) = (send.Session, send.Message);
                Log($"answers {connection.Client}#{session.Value}", message);
                World.Observer.OnDispatch(this, send.Task);
                Observer.OnSend(this, connection.Client, message, Acknowledged(session, message));
                if (World.Mutation != Mutation.ReturnNotSent || message is not Return)
                {
                    connection.SendToClient(message);
                }

                if (connection.Framing == Framing.Line && message is Rejection)
                {
                    connection.CloseFromServer();
                }
            }
        }

        foreach (var send in _effects.PeerSends)
        {
            Log($"tells {send.Peer}", send.Message);
            _links[send.Peer].Send(send);
        }

        _adopted!.Perform(_effects);
        foreach (var task in _effects.Voids)
        {
            Void(task);
        }

        foreach (var (submission, outcome) in _effects.Answers)
        {
            World.Observer.OnAnswer(this, submission, outcome);
            ((ClientSubmission)submission).Answer(outcome);
        }

        _effects.Clear();
    }

    private TaskOutcome? Acknowledged(SessionId session, MeshMessage message) =>
        message is Ack { Id: { } task } && _reported.TryGetValue((session, task), out var outcomes) && outcomes.TryDequeue(out var outcome) ? outcome : null;

    private void Void(TaskRecord task)
    {
        Log("voids", task.WireId);
        if (World.Mutation == Mutation.GivenUpUnasked)
        {
            After(TimeSpan.Zero, () => Feed((core, now) => core.OnVoided(task.WireId, null, now)));
            return;
        }

        World.Ledger.Call(() => World.Ledger.Close(task.User, task.WireId), InThisLife<Mesh.Accounts.LedgerUpdate?>(closed =>
        {
            if (closed is { } known)
            {
                World.Coverage.Count(known.Balance is null ? "task: void closed it" : "task: void found it applied");
                Feed((core, now) => core.OnVoided(task.WireId, known.Balance, now));
            }
            else
            {
                After(TimeSpan.FromSeconds(1), () => Feed((core, now) => core.OnVoidFailed(task.WireId, now)));
            }
        }));
    }

    private void Write(ServerCore core)
    {
        while (!_writing && core.Journal.TryTake() is { } batch)
        {
            if (World.Mutation == Mutation.ActBeforeStored && batch.Ops.Count > 0)
            {
                _link!.Write(batch.Ops, _ => { });
            }
            else if (batch.Ops.Count > 0)
            {
                _writing = true;
                World.Ambush.OnWrite(this);
                Log($"stores {batch.Ops.Count} changes");
                _link!.Write(batch.Ops, InThisLife<IReadOnlySet<string>?>(known => OnWritten(batch, known)));
                return;
            }

            core.OnStored(batch, FrozenSet<string>.Empty, _clock.Now);
            Perform();
        }
    }

    private void OnWritten(StoreBatch batch, IReadOnlySet<string>? known)
    {
        if (_link!.IsFenced)
        {
            LoseClaim();
            return;
        }

        if (known is null && World.Mutation == Mutation.FailedWriteForgotten)
        {
            known = FrozenSet<string>.Empty;
        }

        if (known is not null)
        {
            (_writing, _writeDelay) = (false, TimeSpan.Zero);
            Log("has stored them");
            Feed((core, now) => core.OnStored(batch, known, now));
            return;
        }

        Log("does not know whether they are stored");
        _writeDelay = TimeSpan.FromSeconds(Math.Clamp(_writeDelay.TotalSeconds * 2, 0.2, 2));
        After(_writeDelay, () =>
        {
            _writing = false;
            Feed((core, now) => core.OnStoreFailed(batch, now));
        });
    }

    private void Arm(ServerCore core)
    {
        if (core.NextWake == _armed)
        {
            return;
        }

        _armed = core.NextWake;
        var timer = ++_timer;
        if (_armed is not { } due)
        {
            return;
        }

        var at = _clock.WhenIs(due);
        var soonest = World.Scheduler.Now + TimerResolution;
        At(at > soonest ? at : soonest, () =>
        {
            if (timer == _timer)
            {
                Wake();
            }
        });
    }

    private void Wake()
    {
        Wakes++;
        _armed = null;
        _wakesAtOnce = World.Scheduler.Now - _lastWake < TimeSpan.FromMilliseconds(5) ? _wakesAtOnce + 1 : 0;
        _lastWake = World.Scheduler.Now;
        if (_wakesAtOnce > 200)
        {
            throw new InvariantViolation(Invariant.CoresKeepGoing, $"{Name} wakes again and again for nothing");
        }

        Feed((_, _) => { });
    }
}
