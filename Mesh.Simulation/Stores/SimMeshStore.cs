using System.Collections.Frozen;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>
/// One process's connection to its store, and the ways in which a call can go wrong: without an effect, with an effect but without an answer. A write can also take
/// effect late.
/// </summary>
/// <param name="node">The server.</param>
/// <param name="context">The process. The answers come in its context.</param>
internal sealed class SimMeshStore(SimWorld world, ServerNode node, SimContext context) : IMeshStore
{
    private static readonly FrozenDictionary<string, TaskRecord?> NoneKnown = FrozenDictionary<string, TaskRecord?>.Empty;

    private readonly SimRedis _redis = node.Store.Redis;
    private readonly ServerId _own = new(node.Name);
    private readonly Dictionary<ServerId, SimHeldClaim> _held = [];

    /// <summary>The takes without an answer. A take that is repeated is the same take.</summary>
    private readonly Dictionary<ServerId, int> _takes = [];

    /// <summary>The last write. The process may have stopped waiting for it.</summary>
    private SimWrite? _underWay;

    /// <summary>The store had gone back and was loaded, and no write was acknowledged since.</summary>
    private bool _mending;

    public bool HasAdopted => _held.Keys.Any(server => server != _own);

    public bool Adopts(ServerId server) => server != _own && _held.ContainsKey(server);

    /// <summary>False when another process holds the lease of the server that stores the task.</summary>
    public bool MayServe(ServerId? storedBy) => _held.TryGetValue(storedBy ?? _own, out var held) && !held.Store.Lease.IsHeldByAnother(held.FencingToken);

    public Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken)
    {
        if (!_takes.TryGetValue(server, out var take))
        {
            _takes.Add(server, take = _redis.NextInstance());
        }

        return CallAsync(() => Take(server, self, gone, take), answered =>
        {
            _takes.Remove(server);
            if (answered.Held is { } held)
            {
                _held[server] = held;
            }

            return answered.Answer;
        });
    }

    public Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(server, out var claim))
        {
            return server == _own ? Task.FromException<ServerLeaseRenewStatus>(Lost(server)) : Task.FromResult(ServerLeaseRenewStatus.Lost);
        }

        if (server != _own && world.Mutation == Mutation.AdoptionWithoutLease)
        {
            return Task.FromResult(ServerLeaseRenewStatus.Held);
        }

        var known = claim.Known;
        return CallAsync(() => (Verdict: claim.Store.Lease.Renew(claim.Self, claim.FencingToken, known), claim.Store.Lease.IsWanted), answered => answered.Verdict switch
        {
            StoreVerdict.Ok when server != _own && answered.IsWanted => GivenUp(server, "wanted back", ServerLeaseRenewStatus.HandbackRequested),
            StoreVerdict.Ok => ServerLeaseRenewStatus.Held,
            StoreVerdict.RolledBack when server == _own => ServerLeaseRenewStatus.StoreRolledBack,
            StoreVerdict.RolledBack or StoreVerdict.Lost when server != _own => GivenUp(server, "claim lost", ServerLeaseRenewStatus.Lost),
            StoreVerdict.Lost => throw Lost(server),
            _ => throw new InvalidOperationException("Unknown verdict."),
        });
    }

    public Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken) =>
        (server == _own || world.Mutation != Mutation.AdoptionNotReleased) && _held.Remove(server, out var claim)
            ? CallAsync(
                () =>
                {
                    claim.Store.Lease.Release(claim.FencingToken);
                    return true;
                },
                done => done)
            : Task.CompletedTask;

    public async Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken)
    {
        var claim = _held.GetValueOrDefault(server) ?? throw Lost(server);
        await CallAsync(() => Keep(claim), number => claim.Known = claim.Tried = number ?? throw Lost(server));
        var stored = await CallAsync(claim.Store.Load, stored => stored);
        if (server != _own)
        {
            world.Coverage.Count("adoption: adopted");
            world.Coverage.Count("adoption: tasks", stored.Tasks.Count);
            node.Log($"adopts {stored.Tasks.Count} tasks of {server}");
            return stored with { Tasks = [.. stored.Tasks.Select(task => task with { StoredBy = server })] };
        }

        if (claim.MustReload)
        {
            node.Log("finds that the store has gone back");
            (claim.MustReload, _mending) = (false, true);
            return world.Mutation == Mutation.LossNotRepaired && node.Core is { } core ? WithMemoryOf(core, stored) : stored;
        }

        node.Log($"takes up {stored.Tasks.Count} tasks and {stored.Loans.Count} loans");
        return stored;
    }

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(_own, out var claim))
        {
            return Task.FromException<IReadOnlyDictionary<string, TaskRecord?>>(Lost(_own));
        }

        if (claim.MustReload)
        {
            return Task.FromException<IReadOnlyDictionary<string, TaskRecord?>>(new StoreRolledBackException());
        }

        world.TriggeredFaults.OnWrite(node);
        node.Log($"stores {batch.Ops.Count} changes");
        var answer = new TaskCompletionSource<IReadOnlyDictionary<string, TaskRecord?>>();
        var write = Begin(batch.Ops, claim);
        Send(write, outcome => context.Run(() => Answer(batch, write, outcome, answer)));
        return world.Mutation == Mutation.ActBeforeStored ? Task.FromResult<IReadOnlyDictionary<string, TaskRecord?>>(NoneKnown) : answer.Task;
    }

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) => CallAsync(
        () => _held.Values.Select(claim => claim.Store.Results.GetValueOrDefault(id) ?? claim.Store.Dead.GetValueOrDefault(id)).FirstOrDefault(task => task is not null),
        task => task);

    public Task<IReadOnlyList<TaskRecord>> ListDeadAsync(int limit, CancellationToken cancellationToken) => CallAsync<IReadOnlyList<TaskRecord>, IReadOnlyList<TaskRecord>>(
        () => [.. _held.Values.SelectMany(claim => claim.Store.Dead.Values.OrderBy(task => task.Sequence)).Take(limit)],
        dead => dead);

    /// <summary>The process has ended: the write that is under way arrives, is lost, or arrives late.</summary>
    public void Abandon()
    {
        if (_underWay is not { IsCompleted: false } write)
        {
            return;
        }

        if (!_redis.IsUp)
        {
            write.IsCompleted = true;
        }
        else if (_redis.Random.Chance(0.25))
        {
            world.Coverage.Count("store: write of a dead server late");
            _redis.Scheduler.After(_redis.Random.Seconds(0, 3), () => Arrive(write));
        }
        else
        {
            if (_redis.Random.Chance(0.6))
            {
                world.Coverage.Count("store: write of a dead server applied");
                Arrive(write);
            }

            write.IsCompleted = true;
        }
    }

    private static StoredState WithMemoryOf(ServerCore core, StoredState stored) =>
        stored with { Tasks = [.. stored.Tasks, .. core.ListTasks(TaskState.Queued, int.MaxValue), .. core.ListTasks(TaskState.Running, int.MaxValue)] };

    /// <summary>Accepts the store as it is, with a write of nothing: no write that is still on its way changes the store after it. Null when another has the lease.</summary>
    private static long? Keep(SimHeldClaim claim)
    {
        if (!claim.Store.Lease.TryAcceptRollback(claim.Self, claim.FencingToken))
        {
            return null;
        }

        var number = Math.Max(claim.Tried, claim.Store.Lease.Written) + 1;
        claim.Store.Lease.TryCount(number);
        return number;
    }

    private (ServerLeaseAcquireResult Answer, SimHeldClaim? Held) Take(ServerId server, ServerLeaseHolder self, string? gone, int take)
    {
        // A server that has its state in another Redis, or speaks only lines, is not known to this store.
        var isOwn = server == _own;
        var store = isOwn ? node.Store : world.Servers.Find(other => other.Name == server.Value)?.Store;
        if (store is null || store.Redis != _redis || (!isOwn && store.Lease.FencingToken == default))
        {
            return (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Unknown), null);
        }

        var withoutClaim = !isOwn && world.Mutation == Mutation.AdoptionWithoutLease;
        if (store.Lease.IsHeldByOther(self, gone) && !withoutClaim)
        {
            if (isOwn)
            {
                world.Coverage.Count("server: waits for its claim");
                store.Lease.Want();
            }

            return (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Held, store.Lease.FencingToken.ToString(), store.Lease.Holder), null);
        }

        return !isOwn && store.Tasks.Count + store.Dead.Count == 0
            ? (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Empty), null)
            : (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Acquired), new SimHeldClaim(store, self, withoutClaim ? store.Lease.FencingToken : store.Lease.Take(self, take)));
    }

    private ServerLeaseRenewStatus GivenUp(ServerId server, string why, ServerLeaseRenewStatus state)
    {
        if (world.Mutation == Mutation.AdoptionNotReleased)
        {
            return ServerLeaseRenewStatus.Held;
        }

        world.Coverage.Count($"adoption: {why}");
        node.Log($"gives up {server}: {why}");
        if (state == ServerLeaseRenewStatus.Lost)
        {
            _held.Remove(server);
        }

        return state;
    }

    private ServerLeaseLostException Lost(ServerId server)
    {
        _held.Remove(server);
        return new ServerLeaseLostException(server, node.Store.Lease.Holder);
    }

    /// <summary>Makes one call.</summary>
    /// <param name="serve">What Redis does.</param>
    /// <param name="answered">What the process does with the answer, and what the call returns.</param>
    private Task<TAnswer> CallAsync<TServed, TAnswer>(Func<TServed> serve, Func<TServed, TAnswer> answered)
    {
        var answer = new TaskCompletionSource<TAnswer>();
        var stopCount = _redis.StopCount;
        var fails = _redis.Random.Chance(_redis.ErrorRate);
        var takesEffect = !fails || _redis.Random.Chance(0.5);
        _redis.Scheduler.After(_redis.Delay(), () =>
        {
            if (!_redis.IsUp || _redis.StopCount != stopCount || !takesEffect)
            {
                _redis.Scheduler.After(_redis.Random.Seconds(0.01, 1), () => context.Run(() => answer.SetException(new StoreUnavailableException("Redis does not answer."))));
                return;
            }

            var served = serve();
            _redis.Scheduler.After(_redis.Delay(), () => context.Run(() =>
            {
                if (fails || !_redis.IsUp || _redis.StopCount != stopCount)
                {
                    world.Coverage.Count("store: call made, answer lost");
                    answer.SetException(new StoreUnavailableException("Redis does not answer."));
                    return;
                }

                try
                {
                    answer.SetResult(answered(served));
                }
                catch (ServerLeaseLostException lost)
                {
                    answer.SetException(lost);
                }
            }));
        });
        return answer.Task;
    }

    private SimWrite Begin(IReadOnlyList<StoreOp> ops, SimHeldClaim own)
    {
        if (_underWay is { IsCompleted: false } earlier)
        {
            // One connection keeps the order: what is still on its way arrives first. A write over a new connection may overtake it.
            if (_redis.Random.Chance(0.6))
            {
                world.Coverage.Count("store: write overtaken by the next");
            }
            else
            {
                Arrive(earlier);
            }
        }

        List<(ServerId, SimTry)> adopted = [];
        foreach (var op in ops)
        {
            if (op.Task?.StoredBy is { } storedBy && _held.TryGetValue(storedBy, out var claim) && !adopted.Exists(part => part.Item1 == storedBy))
            {
                adopted.Add((storedBy, SimTry.Of(claim)));
            }
        }

        return _underWay = new SimWrite(ops, SimTry.Of(own), adopted);
    }

    /// <summary>Sends a write as one round trip. <paramref name="done"/> is called once, with null when the outcome is unknown.</summary>
    private void Send(SimWrite write, Action<(StoreVerdict Verdict, Dictionary<string, TaskRecord?> Known)?> done)
    {
        var stopCount = _redis.StopCount;
        var fate = _redis.Random.Chance(_redis.ErrorRate) ? _redis.Random.From(1, 3) : 0;
        switch (fate)
        {
            case 1:
                world.Coverage.Count("store: write failed without effect");
                _redis.Scheduler.After(_redis.Delay(), () =>
                {
                    write.IsCompleted = true;
                    done(null);
                });
                break;
            case 2:
                world.Coverage.Count("store: write failed, effect late");
                _redis.Scheduler.After(_redis.Delay(), () => done(null));
                _redis.Scheduler.After(_redis.Random.Seconds(0, 3), () => Arrive(write));
                break;
            default:
                _redis.Scheduler.After(_redis.Delay(), () => Serve(write, stopCount, answerLost: fate == 3, done));
                break;
        }
    }

    private void Serve(SimWrite write, int stopCount, bool answerLost, Action<(StoreVerdict, Dictionary<string, TaskRecord?>)?> done)
    {
        if (!_redis.IsUp || _redis.StopCount != stopCount)
        {
            write.IsCompleted = true;
            _redis.Scheduler.After(_redis.Random.Seconds(0.01, 2), () => done(null));
            return;
        }

        var outcome = Arrive(write);
        _redis.Scheduler.After(_redis.Delay(), () =>
        {
            var lost = answerLost || !_redis.IsUp || _redis.StopCount != stopCount;
            world.Coverage.Count("store: write applied, answer lost", lost ? 1 : 0);
            done(lost ? null : outcome);
        });
    }

    private void Answer(
        StoreBatch batch,
        SimWrite write,
        (StoreVerdict Verdict, Dictionary<string, TaskRecord?> Known)? outcome,
        TaskCompletionSource<IReadOnlyDictionary<string, TaskRecord?>> answer)
    {
        switch (outcome?.Verdict)
        {
            case null when world.Mutation == Mutation.FailedWriteForgotten:
                answer.SetResult(NoneKnown);
                break;
            case null:
                node.Log("does not know whether they are stored");
                if (world.Mutation == Mutation.UnwrittenChangesDropped)
                {
                    batch.Ops.RemoveAll(op => op.Kind is StoreOpKind.UpdateTask or StoreOpKind.PutLoan or StoreOpKind.DropLoan);
                }

                answer.SetException(new StoreUnavailableException("Redis does not answer."));
                break;
            case StoreVerdict.Lost:
                answer.SetException(Lost(_own));
                break;
            case StoreVerdict.RolledBack:
                write.Own.Lease.MustReload = true;
                answer.SetException(new StoreRolledBackException());
                break;
            case StoreVerdict.Ok:
                node.Log("has stored them");
                foreach (var done in write.Adopted.Select(part => part.Try).Prepend(write.Own))
                {
                    done.Lease.Known = Math.Max(done.Lease.Known, done.Number);
                }

                if (_mending)
                {
                    _mending = false;
                    world.DataLossTracker.OnRewritten(node);
                }

                answer.SetResult(outcome.Value.Known);
                break;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }
    }

    private (StoreVerdict Verdict, Dictionary<string, TaskRecord?> Known) Arrive(SimWrite write)
    {
        Dictionary<string, TaskRecord?> known = [];
        if (write.IsCompleted || !_redis.IsUp)
        {
            return (StoreVerdict.Ok, known);
        }

        write.IsCompleted = true;
        var verdict = node.Store.Lease.Check(write.Own.Lease.FencingToken, write.Own.Known);
        switch (verdict)
        {
            case StoreVerdict.Lost:
                world.Coverage.Count("store: write refused, another has the claim");
                return (verdict, known);
            case StoreVerdict.RolledBack:
                world.Coverage.Count("store: write refused, the store has gone back");
                return (verdict, known);
            case StoreVerdict.Ok when node.Store.Lease.TryCount(write.Own.Number):
                break;
            case StoreVerdict.Ok:
                world.Coverage.Count("store: write refused, a later one was there before");
                return (verdict, known);
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }

        foreach (var part in write.Ops.GroupBy(op => op.Task?.StoredBy))
        {
            if (part.Key is { } server)
            {
                Apply(part, write.Adopted.FirstOrDefault(adopted => adopted.Server == server).Try, known);
            }
            else
            {
                foreach (var op in part)
                {
                    node.Store.Apply(op, known);
                }
            }
        }

        return (verdict, known);
    }

    /// <summary>Applies the changes to one adopted server.</summary>
    /// <param name="attempt">Null when this process did not have the lease.</param>
    private void Apply(IGrouping<ServerId?, StoreOp> part, SimTry? attempt, Dictionary<string, TaskRecord?> known)
    {
        if (attempt?.Lease is { } claim && claim.Store.Lease.Check(claim.FencingToken, attempt.Known) == StoreVerdict.Ok)
        {
            if (claim.Store.Lease.TryCount(attempt.Number))
            {
                foreach (var op in part)
                {
                    claim.Store.Apply(op, known);
                }
            }

            return;
        }

        _held.Remove(part.Key!.Value);
        foreach (var op in part)
        {
            world.Coverage.Count("store: change to an adopted server left out");
            _ = op.Kind == StoreOpKind.RetryDeadLetter && known.TryAdd(op.Task!.ExistingTaskKey, null);
        }
    }
}
