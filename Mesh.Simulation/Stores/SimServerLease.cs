using System.Globalization;
using Mesh.Server.ServerLeases;
using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Stores;

/// <summary>The right to write a server's state. A store that has lost changes can give the same number twice, but never the same instance.</summary>
internal readonly record struct SimFencingToken(long Number, int Instance)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number} {Instance}");
}

/// <summary>What the store answers to a process that writes or renews.</summary>
internal enum StoreVerdict : byte
{
    Ok = 1,

    /// <summary>Another process has the lease.</summary>
    Lost,

    /// <summary>The store holds less than it has acknowledged to this process.</summary>
    RolledBack,
}

/// <summary>The lease on one server's state, and the number of the last write to it, with the effects of the scripts of Mesh.Server/Storage.</summary>
internal sealed class SimServerLease(SimRedis redis, Mutation mutation)
{
    private readonly record struct State(SimFencingToken FencingToken, ServerLeaseHolder? Holder, TimeSpan Until, TimeSpan TakenAt, bool IsWanted, long Written);

    private State _state;

    public SimFencingToken FencingToken => _state.FencingToken;

    public ServerLeaseHolder? Holder => _state.Holder;

    public TimeSpan TakenAt => _state.TakenAt;

    /// <summary>The owner waits until its adopter gives the lease up.</summary>
    public bool IsWanted => _state.IsWanted;

    /// <summary>The number of the last write.</summary>
    public long Written => _state.Written;

    /// <summary>Whether another process has the lease.</summary>
    /// <param name="gone">The fencingToken of a holder that is known to have ended, or null.</param>
    public bool IsHeldByOther(ServerLeaseHolder self, string? gone) =>
        _state.Until > redis.Scheduler.Now && Holder?.Instance != self.Instance && gone != FencingToken.ToString();

    /// <summary>The owner asks its adopter to give the lease up.</summary>
    public void Want() => Set(_state with { IsWanted = true });

    /// <summary>Takes the lease. The same take again returns the same fencingToken.</summary>
    public SimFencingToken Take(ServerLeaseHolder self, int take)
    {
        var fencingToken = FencingToken.Instance == take ? FencingToken : new SimFencingToken(FencingToken.Number + 1, take);
        Set(_state with { FencingToken = fencingToken, Holder = self, Until = redis.Scheduler.Now + SimStore.LeaseExpiry, TakenAt = redis.Scheduler.Now, IsWanted = false });
        return fencingToken;
    }

    /// <summary>Whether another process holds the lease. A store that has lost the lease of this process has not given it to another.</summary>
    public bool IsHeldByAnother(SimFencingToken fencingToken) => fencingToken != FencingToken && fencingToken.Number <= FencingToken.Number;

    /// <summary>Whether the store has lost a lease that it has given. Without a loss, only a higher number follows a number.</summary>
    public bool HasLost(SimFencingToken fencingToken) => fencingToken != FencingToken && fencingToken.Number >= FencingToken.Number;

    /// <param name="fencingToken">Of the process that asks.</param>
    /// <param name="known">The last write that was acknowledged to it.</param>
    public StoreVerdict Check(SimFencingToken fencingToken, long known)
    {
        if (fencingToken != FencingToken && mutation != Mutation.LeaseNotChecked)
        {
            return fencingToken.Number > FencingToken.Number ? StoreVerdict.RolledBack : StoreVerdict.Lost;
        }

        return known > Written && mutation != Mutation.LossNotNoticed ? StoreVerdict.RolledBack : StoreVerdict.Ok;
    }

    public StoreVerdict Renew(ServerLeaseHolder self, SimFencingToken fencingToken, long known)
    {
        var verdict = Check(fencingToken, known);
        if (verdict == StoreVerdict.Ok)
        {
            Set(_state with { Holder = self, Until = redis.Scheduler.Now + SimStore.LeaseExpiry });
        }

        return verdict;
    }

    public void Release(SimFencingToken fencingToken)
    {
        if (fencingToken == FencingToken)
        {
            Set(_state with { Until = TimeSpan.Zero });
        }
    }

    /// <summary>The holder accepts a store that has gone back, unless another process has taken the lease since.</summary>
    public bool TryAcceptRollback(ServerLeaseHolder self, SimFencingToken fencingToken)
    {
        if (fencingToken == FencingToken)
        {
            return true;
        }

        if (fencingToken.Number <= FencingToken.Number)
        {
            return false;
        }

        Set(_state with { FencingToken = fencingToken, Holder = self, Until = redis.Scheduler.Now + SimStore.LeaseExpiry });
        return true;
    }

    /// <summary>False when a later write was here before: this one changes nothing.</summary>
    public bool TryCount(long number)
    {
        if (number <= Written && mutation != Mutation.LateWriteApplied)
        {
            return false;
        }

        Set(_state with { Written = Math.Max(Written, number) });
        return true;
    }

    private void Set(State state)
    {
        var before = _state;
        redis.RecordUndo(() => _state = before);
        _state = state;
    }
}
