using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Server.StoreWriting;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Network;
using Mesh.Simulation.Stores;
using Mesh.Simulation.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.Simulation.Nodes;

/// <summary>
/// One process of a server: the core and the shells of Mesh.Server over a simulated store, ledger, network and clock. It replaces CoreLoop, which waits for its
/// inputs on a thread of its own.
/// </summary>
#pragma warning disable CA1001 // A source of tokens without a timer holds nothing that must be freed, and the network closes the connections of the links.
internal sealed class ServerProcess
#pragma warning restore CA1001
{
    private static readonly IOptions<MeshOptions> ShellOptions = Options.Create(new MeshOptions());
    private static readonly MessageLogger Messages = new(NullLoggerFactory.Instance);

    private readonly SimWorld _world;
    private readonly ServerNode _node;
    private readonly SimContext _context;
    private readonly Effects _effects = new();
    private readonly CoreInputQueue _inbox = new();
    private readonly ServerReadiness _state = new();
    private readonly ServerLeaseRenewer _claim;
    private readonly StoreWriter _writer;
    private readonly AdoptedServerLeases _adoptions;
    private readonly TaskInvalidator _invalidator;
    private readonly PeerLinks _links;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SimEffectExecutor _executor;
    private readonly DeadLetterApi _deadLetters;
    private readonly int _seed;
    private readonly List<Task> _running = [];
    private LoopCore? _loop;

    public ServerProcess(SimWorld world, ServerNode node, int id, NodeClock clock, IProcessTable processes, int seed)
    {
        (_world, _node, Id, Clock, _seed) = (world, node, id, clock, seed);
        _context = new SimContext(world.Scheduler, TakeInputs);
        var time = new SimTimeProvider(world.Scheduler, clock, _context);
        Store = new SimMeshStore(world, node, _context);
        _writer = new StoreWriter(Store, _inbox, _state, time, NullLogger<StoreWriter>.Instance);
        _claim = new ServerLeaseRenewer(Store, _inbox, _state, processes, ShellOptions, time, NullLogger<ServerLeaseRenewer>.Instance);
        _adoptions = new AdoptedServerLeases(Store, _claim, _inbox, processes, time, NullLogger<AdoptedServerLeases>.Instance);
        _invalidator = new TaskInvalidator(new SimLedgerClient(world, node, _context), _inbox);
        var transport = new SimPeerTransport(world.Network, node.Name, _context);
        _links = new PeerLinks(_inbox, transport, Report, Messages, time, NullLogger<PeerLink>.Instance);
        _executor = new SimEffectExecutor(world, node, _links, _adoptions, _invalidator);
        _deadLetters = new DeadLetterApi(world, node, Store, _inbox);
    }

    public int Id { get; }

    public NodeClock Clock { get; }

    public SimMeshStore Store { get; }

    /// <summary>Null until the stored state is loaded.</summary>
    public ServerCore? Core { get; private set; }

    /// <summary>The number of links to peers.</summary>
    public int Links => _links.Count;

    /// <summary>The true time when the stored state was loaded.</summary>
    public TimeSpan ServingSince { get; private set; }

    /// <summary>Takes the lease, loads the stored state and serves.</summary>
    public void Begin() => _context.Run(() => _running.Add(StartAsync()));

    /// <summary>Gives the core an input, performs what it decides and writes what has gathered.</summary>
    public void Feed(LoopInput item) => _context.Run(() => Step(item));

    /// <summary>Handles a request for all dead letters.</summary>
    public void Change(DeadLetterRequest request) => _context.Run(() => _deadLetters.Begin(request));

    /// <summary>Suspends the process. Its connections are closed.</summary>
    public void Hold()
    {
        _executor.IsCutOff = true;
        _context.Hold();
    }

    /// <summary>Resumes the process. It accepts a submission before it has found out whether it still has its lease, which is the worst case.</summary>
    public void Resume(Submission submission)
    {
        _context.Release();
        Feed(new(LoopInputKind.Submit) { Subject = submission });
    }

    /// <summary>Ends the process at once.</summary>
    public void End()
    {
        if (!_context.HasEnded)
        {
            _context.End();
            _deadLetters.End();
            Store.Abandon();
            (_loop, Core) = (null, null);
            _node.OnEnded(this);
        }
    }

    private async Task StartAsync()
    {
        try
        {
            await _claim.AcquireAsync(_node.Settings, _stopping.Token);
            _running.Add(_claim.RunAsync(_stopping.Token));
            var stored = await _writer.LoadAsync(_node.Settings.Id, _stopping.Token);
            var settings = MutatedSettings.Of(_node.Settings, _world.Mutation) with { Peers = _node.Peers };
            _links.Start(settings);
            Core = new ServerCore(settings, stored, Clock.Now, _seed, _effects);
            ServingSince = _world.Scheduler.Now;
            _loop = new LoopCore(Core, _effects, _node.Settings.Id, _writer, _state, _executor);
            _running.Add(_invalidator.RunAsync(_stopping.Token));
            _running.Add(_adoptions.RunAsync(_stopping.Token));
            _state.Phase = LoopPhase.Running;
            _inbox.Open();
            _inbox.Wake();
        }
#pragma warning disable CA1031 // The loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await _inbox.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    /// <summary>Called when all changes are written. Releases the leases, as CoreLoop does, and ends the process.</summary>
    private async Task FinishAsync()
    {
        (_loop, Core) = (null, null);
        _state.Phase = LoopPhase.Ended;
        try
        {
            _stopping.Cancel();
            await Task.WhenAll([.. _running, _links.StopAsync()]);
            await _claim.ReleaseLeaseAsync();
            await _inbox.PostAsync(new(LoopInputKind.Finish));
        }
#pragma warning disable CA1031 // The loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await _inbox.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    private void TakeInputs()
    {
        if (_inbox.Reader.TryPeek(out _))
        {
            Step(null);
        }
    }

    private void Step(LoopInput? input) => _node.Guard(() =>
    {
        try
        {
            var now = Clock.Now;
            if (input is { } item)
            {
                Apply(item, now);
            }

            do
            {
                while (_inbox.Reader.TryRead(out var posted))
                {
                    Apply(posted, now);
                }

                Settle(now);
            }
            while (!_context.HasEnded && _inbox.Reader.TryPeek(out _));
        }
        catch (Exception exception) when (exception is ServerLeaseLostException or ServerLeaseHeldException)
        {
            LoseClaim(exception);
        }
    });

    private void Apply(in LoopInput item, DateTimeOffset now)
    {
        switch (item.Kind)
        {
            case LoopInputKind.Faulted when item.Subject is InvariantViolation broken:
                throw broken;
            case LoopInputKind.Faulted when item.Subject is ServerLeaseHeldException held:
                throw held;
            case LoopInputKind.Faulted when item.Subject is ServerLeaseLostException lost:
                throw lost;
            case LoopInputKind.Faulted:
                throw new InvalidOperationException($"A shell failed: {item.Subject}");
            case LoopInputKind.Finish when _loop is null && !_context.HasEnded:
                _node.Kill();
                break;
            default:
                if (_world.Mutation == Mutation.PausesIgnored)
                {
                    EndPauses();
                }

                _loop?.Apply(item, now);
                break;
        }
    }

    private void Settle(DateTimeOffset now)
    {
        if (_loop is not { } loop)
        {
            return;
        }

        if (_world.Mutation != Mutation.TimeNotTold)
        {
            CallTimer(loop, now);
        }

        loop.Flush(now, _stopping.Token);
        if (_executor.IsCutOff)
        {
            return;
        }

        if (loop.IsDrained)
        {
            loop.Apply(new(LoopInputKind.Finish), now);
        }

        if (loop.IsFinished)
        {
            _running.Add(FinishAsync());
        }
        else
        {
            _node.Timer.Arm(Core!, Clock);
        }
    }

    private void CallTimer(LoopCore loop, DateTimeOffset now)
    {
        if (_world.Mutation != Mutation.OwnerLoadIgnored)
        {
            loop.OnTimer(now);
            return;
        }

        var loads = Core!.State.Peers.All.Select(peer => (Peer: peer, peer.Load)).ToList();
        loads.ForEach(known => known.Peer.Load = null);
        loop.OnTimer(now);
        loads.ForEach(known => known.Peer.Load = known.Peer.Alive ? known.Load : null);
    }

    private void EndPauses()
    {
        foreach (var worker in _world.AllWorkers)
        {
            if (Core?.FindWorker(new WorkerId(worker.Name)) is { Health.IsLimited: true } paused)
            {
                paused.Health = paused.Health with { PausedUntil = default };
            }
        }
    }

    private void LoseClaim(Exception why)
    {
        if (_executor.IsCutOff)
        {
            _world.Coverage.Count("frozen server: found its place taken");
            End();
        }
        else
        {
            _node.LoseClaim(why is ServerLeaseHeldException ? "waits for its claim in vain" : "has lost its claim");
        }
    }

    private void Report(MeshEvent happened) => _world.InvariantChecker.OnEvent(_node, happened);
}
