using System.Collections.Frozen;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>
/// Sends the writes of one process to its store. A write can fail without an effect, take effect without an answer, take effect late, or be overtaken by the next one.
/// </summary>
internal sealed class SimStoreWriter(SimWorld world, ServerNode node, SimHeldLeases leases, SimContext context)
{
    private static readonly FrozenDictionary<string, TaskRecord?> NoneKnown = FrozenDictionary<string, TaskRecord?>.Empty;

    private readonly SimRedis _redis = node.Store.Redis;
    private readonly ServerId _own = new(node.Name);

    /// <summary>The last write. The process may have stopped waiting for it.</summary>
    private SimWrite? _underWay;

    /// <summary>The store had gone back and was loaded, and no write was acknowledged since.</summary>
    private bool _mending;

    /// <summary>Called when the state was loaded again after the store had gone back.</summary>
    public void OnReloaded() => _mending = true;

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch)
    {
        if (!leases.TryGet(_own, out var lease))
        {
            return Task.FromException<IReadOnlyDictionary<string, TaskRecord?>>(leases.Lost(_own));
        }

        if (lease.MustReload)
        {
            return Task.FromException<IReadOnlyDictionary<string, TaskRecord?>>(new StoreRolledBackException());
        }

        world.TriggeredFaults.OnWrite(node);
        if (batch.Ops.Exists(op => op.Then is not null))
        {
            world.TriggeredFaults.OnFollowUps(node);
        }

        if (world.Mutation == Mutation.FollowUpsStoredFirst && _redis.IsUp)
        {
            node.Store.Accept([.. batch.Ops.SelectMany(op => op.Then ?? []).Where(task => task.StoredBy is null && !node.Store.Contains(task))]);
        }

        node.Log($"stores {batch.Ops.Count} changes");
        var answer = new TaskCompletionSource<IReadOnlyDictionary<string, TaskRecord?>>();
        var write = Begin(batch.Ops, lease);
        Send(write, outcome => context.Run(() => Answer(batch, write, outcome, answer)));
        return world.Mutation == Mutation.ActBeforeStored ? Task.FromResult<IReadOnlyDictionary<string, TaskRecord?>>(NoneKnown) : answer.Task;
    }

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

    private SimWrite Begin(IReadOnlyList<StoreOp> ops, SimHeldLease own)
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
            if (op.StoredBy is { } storedBy && leases.TryGet(storedBy, out var lease) && !adopted.Exists(part => part.Item1 == storedBy))
            {
                adopted.Add((storedBy, SimTry.Of(lease)));
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
                world.Coverage.Count("store: follow-ups written, outcome unknown", batch.Ops.Sum(op => op.Then?.Count ?? 0));
                if (world.Mutation == Mutation.UnwrittenChangesDropped)
                {
                    batch.Ops.RemoveAll(op => op.Kind is StoreOpKind.UpdateTask or StoreOpKind.PutLoan or StoreOpKind.DropLoan);
                }

                answer.SetException(new StoreUnavailableException("Redis does not answer."));
                break;
            case StoreVerdict.Lost:
                answer.SetException(leases.Lost(_own));
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

                batch.DeadLetters = world.Mutation == Mutation.DeadLettersMiscounted ? null : node.Store.Dead.Count;
                answer.SetResult(outcome.Value.Known);
                break;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }
    }

    /// <returns>The answer of the store, or null when a change to an adopted server arrived after a later one. Then the writer must not take the changes for stored.</returns>
    private (StoreVerdict Verdict, Dictionary<string, TaskRecord?> Known)? Arrive(SimWrite write)
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

        var isSuperseded = false;
        foreach (var part in write.Ops.GroupBy(op => op.StoredBy))
        {
            if (part.Key is { } server)
            {
                isSuperseded |= !TryApply(part, write.Adopted.FirstOrDefault(adopted => adopted.Server == server).Try, known);
            }
            else
            {
                foreach (var op in part)
                {
                    node.Store.Apply(op, known);
                }
            }
        }

        world.Coverage.Count("store: change to an adopted server after a later one", isSuperseded ? 1 : 0);
        return isSuperseded ? null : (verdict, known);
    }

    /// <summary>Applies the changes to one adopted server. Returns false when they arrive after a later write.</summary>
    /// <param name="attempt">Null when this process did not have the lease.</param>
    private bool TryApply(IGrouping<ServerId?, StoreOp> part, SimTry? attempt, Dictionary<string, TaskRecord?> known)
    {
        if (attempt?.Lease is { } lease && lease.Store.Lease.Check(lease.FencingToken, attempt.Known) == StoreVerdict.Ok)
        {
            if (!lease.Store.Lease.TryCount(attempt.Number))
            {
                return false;
            }

            foreach (var op in part)
            {
                lease.Store.Apply(op, known);
            }

            return true;
        }

        leases.Remove(part.Key!.Value);
        foreach (var op in part)
        {
            world.Coverage.Count("store: change to an adopted server left out");
            _ = op.IsReportedWhenRefused && known.TryAdd(op.Task!.ExistingTaskKey, null);
            _ = op.Kind == StoreOpKind.DropSchedule && known.TryAdd(op.Schedule!.UnwrittenKey, null);
            foreach (var task in op.Then ?? [])
            {
                known[task.ExistingTaskKey] = null;
            }
        }

        return true;
    }
}
