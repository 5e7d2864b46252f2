using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>
/// One process's connection to its store, and the ways in which a write over it can go wrong: without effect, with an effect but without an answer, with a late effect.
/// </summary>
/// <param name="store">What it writes to.</param>
/// <param name="fencingToken">The claim that it writes under.</param>
internal sealed class SimStoreLink(SimStore store, SimFencingToken fencingToken, Coverage coverage)
{
    private readonly SimRedis _redis = store.Redis;

    /// <summary>The adopted servers, with the claim that each is written under.</summary>
    private readonly Dictionary<ServerId, AdoptedLease> _adopted = [];

    /// <summary>The last one; whoever waits for it may have stopped waiting.</summary>
    private SimWrite? _underWay;

    /// <summary>The number of the last write that was acknowledged, and of the last that was tried.</summary>
    private long _known = store.Lease.Written;
    private long _tried = store.Lease.Written;

    /// <summary>True once the store has refused a write, because another has the claim.</summary>
    public bool IsFenced { get; private set; }

    public IReadOnlyDictionary<ServerId, AdoptedLease> Adopted => _adopted;

    /// <summary>The store refused the last write: it holds less than it had acknowledged.</summary>
    public bool RolledBack { get; private set; }

    public StoreVerdict Renew() => store.Lease.Renew(fencingToken, _known);

    public StoreVerdict Renew(ServerId server) => _adopted.TryGetValue(server, out var claim) ? claim.Store.Lease.Renew(claim.FencingToken, claim.Known) : StoreVerdict.Lost;

    /// <summary>Takes the store as it is now: a write of nothing, so that none that is still on its way changes it after. False when another has the claim.</summary>
    public bool TryAcceptRollback()
    {
        RolledBack = false;
        if (!store.Lease.TryAcceptRollback(fencingToken))
        {
            return false;
        }

        _known = _tried = Math.Max(_tried, store.Lease.Written) + 1;
        return store.Lease.TryCount(_known);
    }

    public void Adopt(ServerId server, SimStore theirs, SimFencingToken theirFencingToken) =>
        _adopted[server] = new(theirs, theirFencingToken, Offset: theirs.Lease.Written - _tried) { Known = theirs.Lease.Written };

    public void Release(ServerId server)
    {
        if (_adopted.Remove(server, out var claim))
        {
            claim.Store.Lease.Release(claim.FencingToken);
        }
    }

    /// <summary>False when the keeper of a task has its claim again, or another adopter.</summary>
    public bool MayServe(ServerId? storedBy) => storedBy is not { } server ? store.Lease.FencingToken == fencingToken
        : _adopted.TryGetValue(server, out var claim) && claim.Store.Lease.FencingToken == claim.FencingToken;

    /// <summary>Writes as one round trip. Called once with the tasks that were known, or with null when the outcome is unknown, or the claim is lost.</summary>
    public void Write(IReadOnlyList<StoreOp> ops, Action<IReadOnlyDictionary<string, TaskRecord?>?> done)
    {
        if (_underWay is { IsCompleted: false } earlier)
        {
            // One connection, in order: what is still on its way arrives first. Over a new one it may be overtaken.
            if (_redis.Random.Chance(0.3))
            {
                coverage.Count("store: write overtaken by the next");
            }
            else
            {
                Arrive(earlier);
            }
        }

        var write = _underWay = new(ops, ++_tried, _known);
        var stopCount = _redis.StopCount;
        var fate = _redis.Random.Chance(_redis.ErrorRate) ? _redis.Random.From(1, 3) : 0;
        switch (fate)
        {
            case 1:
                coverage.Count("store: write failed without effect");
                _redis.Scheduler.After(_redis.Delay(), () =>
                {
                    write.IsCompleted = true;
                    done(null);
                });
                break;
            case 2:
                coverage.Count("store: write failed, effect late");
                _redis.Scheduler.After(_redis.Delay(), () => done(null));
                _redis.Scheduler.After(_redis.Random.Seconds(0, 3), () => Arrive(write));
                break;
            default:
                _redis.Scheduler.After(_redis.Delay(), () => Serve(write, stopCount, answerLost: fate == 3, done));
                break;
        }
    }

    /// <summary>The server is gone: what is on its way arrives, or never will, or arrives late.</summary>
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
            coverage.Count("store: write of a dead server late");
            _redis.Scheduler.After(_redis.Random.Seconds(0, 3), () => Arrive(write));
        }
        else
        {
            if (_redis.Random.Chance(0.6))
            {
                coverage.Count("store: write of a dead server applied");
                Arrive(write);
            }

            write.IsCompleted = true;
        }
    }

    private void Serve(SimWrite write, int stopCount, bool answerLost, Action<IReadOnlyDictionary<string, TaskRecord?>?> done)
    {
        if (!_redis.IsUp || _redis.StopCount != stopCount)
        {
            write.IsCompleted = true;
            _redis.Scheduler.After(_redis.Random.Seconds(0.01, 2), () => done(null));
            return;
        }

        var known = Arrive(write);
        var rolledBack = known is null && !IsFenced;
        _redis.Scheduler.After(_redis.Delay(), () =>
        {
            var lost = answerLost || !_redis.IsUp || _redis.StopCount != stopCount;
            coverage.Count("store: write applied, answer lost", lost ? 1 : 0);
            RolledBack |= rolledBack && !lost;
            _known = lost || known is null || write.Number < _known ? _known : write.Number;
            done(lost ? null : known);
        });
    }

    /// <summary>Null when the store refuses it.</summary>
    private Dictionary<string, TaskRecord?>? Arrive(SimWrite write)
    {
        Dictionary<string, TaskRecord?> known = [];
        if (write.IsCompleted || !_redis.IsUp)
        {
            return known;
        }

        write.IsCompleted = true;
        switch (store.Lease.Check(fencingToken, write.Known))
        {
            case StoreVerdict.Lost:
                IsFenced = true;
                coverage.Count("store: write refused, another has the claim");
                return null;
            case StoreVerdict.RolledBack:
                coverage.Count("store: write refused, the store has gone back");
                return null;
            case StoreVerdict.Ok when store.Lease.TryCount(write.Number):
                break;
            case StoreVerdict.Ok:
                coverage.Count("store: write refused, a later one was there before");
                return known;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }

        foreach (var part in write.Ops.GroupBy(op => op.Task?.StoredBy))
        {
            Apply(part.Key, part, write.Number, known);
        }

        return known;
    }

    private void Apply(ServerId? storedBy, IEnumerable<StoreOp> ops, long number, Dictionary<string, TaskRecord?> known)
    {
        if (storedBy is not { } server)
        {
            foreach (var op in ops)
            {
                store.Apply(op, known);
            }
        }
        else if (_adopted.TryGetValue(server, out var claim) && claim.Store.Lease.Check(claim.FencingToken, claim.Known) == StoreVerdict.Ok)
        {
            if (!claim.Store.Lease.TryCount(number + claim.Offset))
            {
                return;
            }

            claim.Known = Math.Max(claim.Known, number + claim.Offset);
            foreach (var op in ops)
            {
                claim.Store.Apply(op, known);
            }
        }
        else
        {
            foreach (var op in ops)
            {
                coverage.Count("store: change to an adopted server left out");
                _ = op.Kind == StoreOpKind.RetryDeadLetter && known.TryAdd(op.Task!.ExistingTaskKey, null);
            }
        }
    }
}
