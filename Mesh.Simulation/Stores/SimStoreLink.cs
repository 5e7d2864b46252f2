using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>
/// One process's connection to its store, and the ways in which a write over it can go wrong: without effect, with an effect but without an answer, with a late effect.
/// </summary>
/// <param name="store">What it writes to.</param>
/// <param name="epoch">The claim that it writes under.</param>
internal sealed class SimStoreLink(SimStore store, SimEpoch epoch, Coverage coverage)
{
    private readonly SimRedis _redis = store.Redis;

    /// <summary>The adopted servers, with the claim that each is written under.</summary>
    private readonly Dictionary<ServerId, AdoptedClaim> _adopted = [];

    /// <summary>The last one; whoever waits for it may have stopped waiting.</summary>
    private SimWrite? _underWay;

    /// <summary>The number of the last write that was acknowledged, and of the last that was tried.</summary>
    private long _known = store.Claim.Written;
    private long _tried = store.Claim.Written;

    /// <summary>True once the store has refused a write, because another has the claim.</summary>
    public bool IsFenced { get; private set; }

    public IReadOnlyDictionary<ServerId, AdoptedClaim> Adopted => _adopted;

    /// <summary>The store refused the last write: it holds less than it had acknowledged.</summary>
    public bool WentBack { get; private set; }

    public StoreVerdict Renew() => store.Claim.Renew(epoch, _known);

    public StoreVerdict Renew(ServerId server) => _adopted.TryGetValue(server, out var claim) ? claim.Store.Claim.Renew(claim.Epoch, claim.Known) : StoreVerdict.Lost;

    /// <summary>Takes the store as it is now: a write of nothing, so that none that is still on its way changes it after. False when another has the claim.</summary>
    public bool TryKeep()
    {
        WentBack = false;
        if (!store.Claim.TryKeep(epoch))
        {
            return false;
        }

        _known = _tried = Math.Max(_tried, store.Claim.Written) + 1;
        return store.Claim.TryCount(_known);
    }

    public void Adopt(ServerId server, SimStore theirs, SimEpoch theirEpoch) =>
        _adopted[server] = new(theirs, theirEpoch, Offset: theirs.Claim.Written - _tried) { Known = theirs.Claim.Written };

    public void Release(ServerId server)
    {
        if (_adopted.Remove(server, out var claim))
        {
            claim.Store.Claim.Release(claim.Epoch);
        }
    }

    /// <summary>False when another process has the claim that this one had. A store that has lost this process's claim has not given it to another.</summary>
    public bool MayServe(ServerId? keeper) => keeper is not { } server ? !IsTaken(store.Claim, epoch)
        : _adopted.TryGetValue(server, out var claim) && !IsTaken(claim.Store.Claim, claim.Epoch);

    /// <summary>Writes as one round trip. Called once with the tasks that were known, or with null when the outcome is unknown, or the claim is lost.</summary>
    public void Write(IReadOnlyList<StoreOp> ops, Action<IReadOnlyDictionary<string, TaskRecord?>?> done)
    {
        if (_underWay is { IsOver: false } earlier)
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
        var falls = _redis.Falls;
        var fate = _redis.Random.Chance(_redis.Trouble) ? _redis.Random.From(1, 3) : 0;
        switch (fate)
        {
            case 1:
                coverage.Count("store: write failed without effect");
                _redis.Scheduler.After(_redis.Delay(), () =>
                {
                    write.IsOver = true;
                    done(null);
                });
                break;
            case 2:
                coverage.Count("store: write failed, effect late");
                _redis.Scheduler.After(_redis.Delay(), () => done(null));
                _redis.Scheduler.After(_redis.Random.Seconds(0, 3), () => Arrive(write));
                break;
            default:
                _redis.Scheduler.After(_redis.Delay(), () => Serve(write, falls, answerLost: fate == 3, done));
                break;
        }
    }

    /// <summary>The server is gone: what is on its way arrives, or never will, or arrives late.</summary>
    public void Abandon()
    {
        if (_underWay is not { IsOver: false } write)
        {
            return;
        }

        if (!_redis.IsUp)
        {
            write.IsOver = true;
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

            write.IsOver = true;
        }
    }

    private static bool IsTaken(SimClaim claim, SimEpoch epoch) => epoch != claim.Epoch && epoch.Number <= claim.Epoch.Number;

    private void Serve(SimWrite write, int falls, bool answerLost, Action<IReadOnlyDictionary<string, TaskRecord?>?> done)
    {
        if (!_redis.IsUp || _redis.Falls != falls)
        {
            write.IsOver = true;
            _redis.Scheduler.After(_redis.Random.Seconds(0.01, 2), () => done(null));
            return;
        }

        var known = Arrive(write);
        var wentBack = known is null && !IsFenced;
        _redis.Scheduler.After(_redis.Delay(), () =>
        {
            var lost = answerLost || !_redis.IsUp || _redis.Falls != falls;
            coverage.Count("store: write applied, answer lost", lost ? 1 : 0);
            WentBack |= wentBack && !lost;
            _known = lost || known is null || write.Number < _known ? _known : write.Number;
            done(lost ? null : known);
        });
    }

    /// <summary>Null when the store refuses it.</summary>
    private Dictionary<string, TaskRecord?>? Arrive(SimWrite write)
    {
        Dictionary<string, TaskRecord?> known = [];
        if (write.IsOver || !_redis.IsUp)
        {
            return known;
        }

        write.IsOver = true;
        switch (store.Claim.Check(epoch, write.Known))
        {
            case StoreVerdict.Lost:
                IsFenced = true;
                coverage.Count("store: write refused, another has the claim");
                return null;
            case StoreVerdict.WentBack:
                coverage.Count("store: write refused, the store has gone back");
                return null;
            case StoreVerdict.Ok when store.Claim.TryCount(write.Number):
                break;
            case StoreVerdict.Ok:
                coverage.Count("store: write refused, a later one was there before");
                return known;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }

        foreach (var part in write.Ops.GroupBy(op => op.Task?.Keeper))
        {
            Apply(part.Key, part, write.Number, known);
        }

        return known;
    }

    private void Apply(ServerId? keeper, IEnumerable<StoreOp> ops, long number, Dictionary<string, TaskRecord?> known)
    {
        if (keeper is not { } server)
        {
            foreach (var op in ops)
            {
                store.Apply(op, known);
            }
        }
        else if (_adopted.TryGetValue(server, out var claim) && claim.Store.Claim.Check(claim.Epoch, claim.Known) == StoreVerdict.Ok)
        {
            if (!claim.Store.Claim.TryCount(number + claim.Offset))
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
                _ = op.Kind == StoreOpKind.ReviveTask && known.TryAdd(op.Task!.KnownAs, null);
            }
        }
    }
}
